"""The project as a whole: names across files, packages in force, and who talks to whom."""
