"""What others write about faces in films: CSV, MOTChallenge, CVAT."""
