"""Measuring primitives that rooms share: robust statistics, images, tangent planes, centroids, Laplacian."""
