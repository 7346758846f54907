"""What corslint knows: three-valued truth, symbolic values, readings, decisions, facts and findings."""
