"""What can be computed: arrays in, values out; knows no database, no network and no patient."""
