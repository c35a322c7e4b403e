-- Texts to be searched are normalised in another way. The program fills in what is missing after the
-- migrations, and at each start.
DELETE FROM product_texts;
