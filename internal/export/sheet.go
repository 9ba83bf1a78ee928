package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"groundwork/warehouse"
	"groundwork/warehouse/privacy"
)

// Sheet is the data sheet of a file: whoever has both can say what each figure is, and compute it again.
type Sheet struct {
	File       string // its name alone
	Definition warehouse.Definition
	Table      *warehouse.Table
	Columns    []Column
	Filters    [][2]string // what narrowed the issues: name and value, in the order of the command
	Command    string
}

// Markdown writes the sheet for the file's bytes.
func (s Sheet) Markdown(data []byte) []byte {
	var b strings.Builder
	d, t := s.Definition, s.Table
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", s.File, d.Meaning)
	for _, line := range [][2]string{
		{"Measure", fmt.Sprintf("%s %s (%s), definition version %s", d.Code, d.Name, d.ChineseName, d.Version)},
		{"As of", t.AsOf.UTC().Format(time.RFC3339Nano)}, {"Watermark", fmt.Sprintf("%d, %s", t.Watermark.LSN, t.Watermark.CommittedAt.UTC().Format(time.RFC3339Nano))},
		{"Numerator", d.Numerator}, {"Denominator", d.Denominator}, {"Anchor", d.Anchor}, {"Censoring", d.Censoring}, {"Interval", d.Interval}, {"Source", d.Source}, {"Method", d.Method},
		{"Rows", fmt.Sprint(rows(s.Columns))}, {"SHA-256", hex.EncodeToString(sum(data))}, {"Made by", "`" + s.Command + "`"},
	} {
		if strings.TrimSpace(line[1]) != "" {
			fmt.Fprintf(&b, "- **%s**: %s\n", line[0], line[1])
		}
	}
	b.WriteString("\n## Filters\n\n")
	if len(s.Filters) == 0 {
		b.WriteString("None: all issues.\n")
	}
	for _, f := range s.Filters {
		fmt.Fprintf(&b, "- %s: %s\n", f[0], f[1])
	}
	s.columns(&b)
	s.hidden(&b)
	s.remarks(&b)
	return []byte(b.String())
}

func sum(data []byte) []byte {
	digest := sha256.Sum256(data)
	return digest[:]
}

func (s Sheet) columns(b *strings.Builder) {
	b.WriteString("\n## Columns\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |\n")
	types := map[Kind]string{Text: "text", Integer: "integer", Decimal: "number", Truth: "true or false"}
	for _, c := range s.Columns {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.Name, types[c.Kind], c.Unit, c.Meaning)
	}
}

// ExtractCode marks the data sheet of single opinions instead of figures.
const ExtractCode = "EXTRACT"

// hidden tells what was left out, and of figures what was hidden.
func (s Sheet) hidden(b *strings.Builder) {
	if s.Definition.Code == ExtractCode {
		fmt.Fprintf(b, `
## What is left out

Opinions that report wrongs (REPORT), confidential ones, those of categories that the command names as sensitive, and all of a group (region, month, category and
channel) that has fewer than %d reporters, those who are unknown counted as one, or in which everybody wants the same. There are no texts, points, days or names.
Not for publication: for the project alone, whose key is to be destroyed at its end.
`, warehouse.ExtractPersons)
		return
	}
	fmt.Fprintf(b, `
## What is hidden

Counts of 1 to %d issues or reporters, shares whose numerator or remainder is that small, and as many other cells as keep each hidden
count in a range at least %d wide for all that totals over rows, columns and the regions above tell. Hidden figures are NULL, and the
column "suppressed" says so; it does not say which cells are small themselves. 0 is shown. `, privacy.Least-1, privacy.Least)
	if s.Definition.Code == "COUNT" {
		fmt.Fprintf(b, "Counts are rounded to multiples of %d, totals by themselves.\n\n", privacy.RoundTo)
	} else {
		b.WriteString("Times are whole days, beyond 30 days whole weeks.\n\n")
	}
	for _, flag := range []struct{ flag, says string }{{"suppressed", "rows hidden"}, {"partsSuppressed", "rows whose shares and counts are hidden"}} {
		set := 0
		for _, on := range s.Table.Flags[flag.flag] {
			if on {
				set++
			}
		}
		fmt.Fprintf(b, "- %s: %d of %d\n", flag.says, set, len(s.Table.N))
	}
}

// smallCount finds, in a remark, a number of issues that must not be told.
var smallCount = regexp.MustCompile(`\b([1-9]|10) (issues?|opinions?|rows?)\b`)

func (s Sheet) units() string {
	if s.Definition.Code == ExtractCode {
		return "opinions"
	}
	return "issues"
}

func (s Sheet) remarks(b *strings.Builder) {
	var lines []string
	lines = append(lines, s.Definition.Caveats...)
	for _, note := range s.Table.Notes {
		lines = append(lines, smallCount.ReplaceAllString(note, "fewer than 11 $2"))
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Table.Excluded)) {
		n := fmt.Sprint(s.Table.Excluded[reason])
		if privacy.Small(s.Table.Excluded[reason]) {
			n = "fewer than 11"
		}
		lines = append(lines, fmt.Sprintf("left out (%s): %s %s", reason, n, s.units()))
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n## To bear in mind\n\n")
	for _, line := range lines {
		fmt.Fprintf(b, "- %s\n", line)
	}
}
