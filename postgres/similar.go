package postgres

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

// maxCandidates bounds how many open issues are compared: the latest of the place, or of the category.
const maxCandidates = 300

// candidateRow is an open issue with its first opinion.
type candidateRow struct {
	groundwork.Issue
	Said          string
	SaidLatitude  *float64
	SaidLongitude *float64
}

// SimilarIssues implements groundwork.SimilarStore. One index scan finds the candidates however many issues there are; what was told
// in confidence is not compared.
func (db *DB) SimilarIssues(ctx context.Context, l groundwork.Likeness, limit int) ([]groundwork.SimilarIssue, error) {
	of, key := "region_id", l.RegionID
	if key == nil {
		of, key = "category_id", l.CategoryID
	}
	if key == nil {
		return nil, nil
	}
	items, err := collect[candidateRow](ctx, db.reads(), "find similar issues", `
		SELECT i.*, coalesce(said.words, '') AS said, said.latitude AS said_latitude, said.longitude AS said_longitude
		FROM (SELECT `+issueColumns+` FROM issue WHERE `+of+` = @key AND state NOT IN ('CLOSED', 'MERGED')
			ORDER BY origin_at DESC, id DESC LIMIT @candidates) i
		LEFT JOIN LATERAL (
			SELECT left(o.subject || ' ' || o.text, 2000) AS words, o.latitude, o.longitude
			FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id
			WHERE link.issue_id = i.id AND o.confidentiality <> 'CONFIDENTIAL'
			ORDER BY o.received_at, o.id LIMIT 1) said ON TRUE`, pgx.NamedArgs{"key": key, "candidates": maxCandidates})
	if err != nil {
		return nil, err
	}
	candidates := make([]groundwork.Candidate, len(items))
	for n := range items {
		candidates[n] = groundwork.Candidate{Issue: &items[n].Issue, Text: items[n].Said, Latitude: items[n].SaidLatitude, Longitude: items[n].SaidLongitude}
	}
	return l.Rank(candidates, limit), nil
}

// linkScore is how alike an opinion is to the issue that it is linked to, in the words of what the issue began with.
func linkScore(ctx context.Context, tx pgx.Tx, i *groundwork.Issue, opinion uuid.UUID) (float64, error) {
	said, err := scalars[string](ctx, tx, "read words", `
		SELECT o.subject || ' ' || o.text FROM issue_opinion link JOIN opinion o ON o.id = link.opinion_id
		WHERE link.issue_id = @issue ORDER BY o.received_at, o.id LIMIT 1`, pgx.NamedArgs{"issue": i.ID})
	if err != nil {
		return 0, err
	}
	linked, err := scalars[string](ctx, tx, "read words", "SELECT subject || ' ' || text FROM opinion WHERE id = @id", pgx.NamedArgs{"id": opinion})
	if err != nil || len(said) == 0 || len(linked) == 0 {
		return 0, err
	}
	return groundwork.Similarity(said[0], linked[0]), nil
}
