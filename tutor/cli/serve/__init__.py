"""`tutor serve`: run the app in web browsers."""
