"""Videos and folders of pictures in the place of a camera."""
