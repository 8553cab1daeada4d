"""Who may, and who did: access decides, identity says who is calling, audit remembers for ever."""
