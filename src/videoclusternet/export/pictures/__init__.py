"""Pictures of those who are on screen: their faces, a contact sheet, a wall.

portraits -> (faces, wall, contact -> contact_pdf)
"""
