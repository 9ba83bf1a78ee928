-- Chinese is searched by pairs of neighbouring characters (docs/decisions/0360-chinese-by-pairs.md): most of its words have two, of which no trigram can
-- be made, and where the database sorts by bytes (lc_ctype C, as in the embedded Postgres), pg_trgm takes no Chinese character for a letter at all.
-- The indexes of trigrams remain, for words of letters and digits.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION pairs(words text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
    characters text[] := string_to_array(left(words, 100000), NULL); -- more than a tsvector may hold is not indexed
BEGIN
    RETURN array_to_tsvector(ARRAY(SELECT a || CASE WHEN b >= '⺀' COLLATE "C" THEN b ELSE '' END
        FROM unnest(characters, characters[2:]) AS t (a, b) WHERE a >= '⺀' COLLATE "C"));
END $$;
-- +goose StatementEnd
COMMENT ON FUNCTION pairs IS 'Each Chinese, Japanese or Korean character (U+2E80 and above) with the one behind it, or alone where none is. "路灯坏了 3" gives 路灯, 灯坏, 坏了, 了: a word is found by its pairs, a single character as the beginning of a pair.';
CREATE INDEX opinion_pairs ON opinion USING gin (pairs(subject || ' ' || text));
CREATE INDEX issue_title_pairs ON issue USING gin (pairs(title));

-- +goose Down
SELECT 1 / 0; -- forward only
