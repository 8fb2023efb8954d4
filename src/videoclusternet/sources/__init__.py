"""Ways into the method: films, boxes, aligned crops, features."""
