# The sources are files of the recipe.
:
