"""LeanDojo's Dojo as an engine: theorems of a traced repository, each proved where it stands in the repository."""
