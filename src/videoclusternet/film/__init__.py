"""From the pictures of a film to tables: shots, faces, motion, tracks, crops (section 3.2)."""
