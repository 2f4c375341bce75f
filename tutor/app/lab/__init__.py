"""The screen of the labs: it runs any of them (`runner`, `screen`) and draws each with a view of
its own (`views`)."""
