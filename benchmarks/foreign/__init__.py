"""What runs inside the clients' own environments: it may import what they bring along, and nothing of ours."""
