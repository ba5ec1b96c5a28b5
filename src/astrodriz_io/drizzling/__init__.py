"""The drizzle run: single images, rejection of cosmic rays, final image, by the ``drizzle`` package."""
