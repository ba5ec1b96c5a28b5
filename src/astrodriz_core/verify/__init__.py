"""How well exposures are aligned: focus index, similarity, registration, guiding; the policies that judge them."""
