package postgres

import (
	"context"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"groundwork"
)

// Words are searched by two kinds of indexes: pairs of neighbouring characters for the scripts of East Asia, whose words are short, and trigrams for
// letters and digits (docs/decisions/0360-chinese-by-pairs.md).

// firstPaired is the first character of which pairs are indexed; the function pairs of the database has the same.
const firstPaired = '⺀'

// paired are the runs of characters of which pairs are indexed.
func paired(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r < firstPaired })
}

// searchable refuses a text that no index serves.
func searchable(field, text string) error {
	if len(paired(text)) > 0 {
		return nil
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len([]rune(word)) >= 3 {
			return nil
		}
	}
	return groundwork.Invalid(field, "%q is too short to be searched for; give a Chinese character, or three letters or digits in a row", text)
}

// says is the condition that an expression has a searchable text in it, in such a form that an index serves it.
func (c *conditions) says(expression, text string) string {
	condition := expression + " ILIKE " + c.arg(pattern(text))
	if pairs := pairsOf(text); pairs != "" {
		condition += " AND pairs(" + expression + ") @@ " + c.arg(pairs) + "::tsquery"
	}
	return condition
}

// pairsOf is a text as a tsquery over pairs: all of its pairs, a character that stands alone as the beginning of one. Empty if it has none.
func pairsOf(text string) string {
	var all []string
	for _, run := range paired(text) {
		characters := []rune(run)
		if len(characters) == 1 {
			all = append(all, "'"+run+"':*")
		}
		for i := range len(characters) - 1 {
			all = append(all, "'"+string(characters[i:i+2])+"'")
		}
	}
	return strings.Join(all, " & ")
}

// maxFound is how many issues that say a text are looked up at most. What more than these say is found by looking at one issue of the list
// after the other: it does not take many to fill a page.
const maxFound = 20_000

// issuesSaying returns the issues whose title or opinions have a text in them, as far as the viewer may see them; nil if they are more than maxFound.
func issuesSaying(ctx context.Context, q querier, text string) ([]uuid.UUID, error) {
	c := where()
	sql := `SELECT id FROM (SELECT id FROM access.issue_titles WHERE ` + c.says("title", text) + `
		UNION ALL SELECT issue_id FROM access.issue_words WHERE ` + c.says("(subject || ' ' || text)", text) + `) AS found LIMIT ` + c.arg(maxFound+1)
	found, err := scalars[uuid.UUID](ctx, q, "search issues", sql, c.args)
	switch {
	case err != nil:
		return nil, err
	case len(found) > maxFound:
		return nil, nil
	case len(found) == 0:
		return []uuid.UUID{}, nil
	}
	return distinct(found), nil
}

// issueText keeps issues whose title or opinions have the text in them.
func (c *conditions) issueText(text string) error {
	if text == "" {
		return nil
	}
	if err := searchable("filter.text.contains", text); err != nil {
		return err
	}
	if c.texts++; c.texts > maxFilterTexts {
		return groundwork.Invalid("filter.text.contains", "the filter searches for more than %d texts, %q among them; search for fewer", maxFilterTexts, text)
	}
	found, err := c.saying(text)
	if err != nil {
		return err
	}
	if found != nil {
		c.add("id = ANY(%s)", found)
		return nil
	}
	// A scalar subquery is asked issue by issue; the planner would make a table of what an EXISTS finds, of all issues that there are.
	c.add(`(title ILIKE %s OR (SELECT true FROM access.issue_words said
		WHERE said.issue_id = issue.id AND (said.subject || ' ' || said.text) ILIKE %s LIMIT 1) IS TRUE)`, pattern(text), pattern(text))
	return nil
}
