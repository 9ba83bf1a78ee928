package warehouse

import (
	"context"
	"slices"
	"strings"
	"time"
)

// sentRows are rows that go with statements as text, so that each need not say how they are read: the engine takes longer to understand that than to read them.
type sentRows struct {
	columns string    // their names and types, as a table function takes them
	text    string    // TSV
	latest  time.Time // that any of them tells of; the zero time = none does
}

// sentTable is SQL of the table of rows that go with a statement.
const sentTable = "format(TSV, {moved_columns:String}, {moved_rows:String})"

// maxText is up to how many bytes of rows go with a statement. A parameter may have twice as much (http_max_field_value_size), but of more the engine understands how they are read as quickly.
const maxText = 64 << 10

// rowsOf reads what changed since a base, all that anybody may ask for; nil = it is too much to go with statements.
func (m *Measures) rowsOf(ctx context.Context, b *base) (*sentRows, error) {
	whole := *b
	whole.what = allRecords
	columns, of := whole.reading()
	own := strings.Replace(columns, "area_id, ", "", 1) // areas are found for the few regions afterwards
	line := func(w, rows string) statement {
		told := never
		if b.late != "" {
			told = "told_until"
		}
		read := statement{text: "SELECT formatRow('TSV', " + own + ", " + w + "), ifNull(toString(region_id), ''), " + told + " FROM " + rows, whole: true}
		whole.bind(func(name string, value any) { read = read.with(name, value) })
		return read
	}
	kinds := statement{text: "DESCRIBE (" + of("w", "") + ")", whole: true} // of the base, since LowCardinality is lost beside rows that are not of it
	b.bind(func(name string, value any) { kinds = kinds.with(name, value) })
	both := []statement{line("toInt8(-w)", b.table+" WHERE "+ofBase+" AND "+inBase(movedFew)), line("toInt8(1)", "("+whole.coming(movedFew, "")+")")}
	sent := &sentRows{}
	var types []string
	err := m.each(ctx, "find what changed", kinds, func(scan func(...any) error) error {
		var name, kind, rest string
		err := scan(&name, &kind, &rest, &rest, &rest, &rest, &rest)
		if name != "area_id" {
			types = append(types, name+" "+kind)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var lines, regions []string
	err = m.eachOf(ctx, "find what changed", both, func() ([]any, func()) {
		var line, region string
		var at time.Time
		return []any{&line, &region, &at}, func() {
			lines, regions = append(lines, strings.TrimSuffix(line, "\n")), append(regions, region)
			if at.After(sent.latest) {
				sent.latest = at
			}
		}
	})
	if err != nil {
		return nil, err
	}
	areas, err := m.areasOf(ctx, regions)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for i, line := range lines {
		text.WriteString(line + "\t" + areas[regions[i]] + "\n")
	}
	if text.Len() > maxText {
		return nil, nil
	}
	sent.columns, sent.text = strings.Join(types, ", ")+", area_id LowCardinality(String)", text.String()
	return sent, nil
}

// areasOf finds the areas of regions.
func (m *Measures) areasOf(ctx context.Context, regions []string) (map[string]string, error) {
	areas := map[string]string{}
	few := statement{text: areaOf(" PREWHERE id IN (SELECT toUUIDOrZero(arrayJoin({regions:Array(String)})))")}.with("regions", slices.Compact(slices.Sorted(slices.Values(regions))))
	err := m.each(ctx, "find where what changed lies", few, func(scan func(...any) error) error {
		var region, area string
		err := scan(&region, &area)
		areas[region] = area
		return err
	})
	return areas, err
}
