"""What asks the network: web client, time budget, astrometry database, guide stars."""
