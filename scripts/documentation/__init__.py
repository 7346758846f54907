"""The documentation site: the pages of docs/, and one for each rule and each library."""
