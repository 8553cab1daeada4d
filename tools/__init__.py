"""What we use on the code itself: contracts, generators and checks; no part of the product."""
