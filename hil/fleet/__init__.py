"""Many poles on one box: what a district of any size sends, how late it is told so, and what that costs."""
