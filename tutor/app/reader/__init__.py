"""Reading lessons, terms and the glossary, and searching them."""
