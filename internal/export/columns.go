// Package export writes published tables to files: CSV, Parquet or Arrow, each with a data sheet that says what the figures are, of when, and
// what was hidden. It writes what it is given; what may be given stands in package warehouse (Protect, Microtable).
package export

import (
	"strings"
	"unicode"

	"groundwork/warehouse"
)

// Column is a named column of a file. A nil value is NULL; the others are all of the kind.
type Column struct {
	Name    string
	Kind    Kind
	Unit    string
	Meaning string
	Values  []any
}

// Kind is the type of a column's values.
type Kind int

// The kinds: string, int64, float64 and bool.
const (
	Text Kind = iota
	Integer
	Decimal
	Truth
)

// Why a figure is missing, as the column "suppressed" says. Whether a cell is small itself or hidden for another's sake is not told.
const (
	CellSuppressed  = "CELL"  // the whole cell
	PartsSuppressed = "PARTS" // its shares and counts, not its n and times
)

// MeasureColumns are the columns of a protected answer of a measure.
func MeasureColumns(t *warehouse.Table) []Column {
	columns := dimensionColumns(t)
	suppressed, parts := t.Flags["suppressed"], t.Flags["partsSuppressed"]
	n := Column{Name: "n", Kind: Integer, Unit: "issues", Meaning: "Issues that the figures of the row rest on"}
	why := Column{Name: "suppressed", Kind: Text, Meaning: "CELL: the row is hidden; PARTS: its shares and counts are; empty: nothing is"}
	for row := range t.N {
		switch {
		case suppressed[row]:
			n.Values, why.Values = append(n.Values, nil), append(why.Values, CellSuppressed)
		case parts[row]:
			n.Values, why.Values = append(n.Values, t.N[row]), append(why.Values, PartsSuppressed)
		default:
			n.Values, why.Values = append(n.Values, t.N[row]), append(why.Values, nil)
		}
	}
	columns = append(columns, n)
	for _, num := range t.Nums {
		columns = append(columns, numberColumns(num)...)
	}
	for _, flag := range []struct{ name, meaning string }{
		{"unstable", "n is below 30"}, {"provisional", "the newest event is younger than 90 days, so a reopening may still change the figures"},
	} {
		c := Column{Name: flag.name, Kind: Truth, Meaning: flag.meaning}
		for row, set := range t.Flags[flag.name] {
			if suppressed[row] {
				c.Values = append(c.Values, nil)
			} else {
				c.Values = append(c.Values, set)
			}
		}
		columns = append(columns, c)
	}
	return append(columns, why)
}

// CountColumns are the columns of a Microtable.
func CountColumns(t *warehouse.Table) []Column {
	columns := dimensionColumns(t)
	n := Column{Name: "issues", Kind: Integer, Unit: "issues", Meaning: "Issues, merged ones left out, rounded to a multiple of 5"}
	why := Column{Name: "suppressed", Kind: Text, Meaning: "CELL: the count is hidden; empty: it is not"}
	for row, hidden := range t.Flags["suppressed"] {
		if hidden {
			n.Values, why.Values = append(n.Values, nil), append(why.Values, CellSuppressed)
		} else {
			n.Values, why.Values = append(n.Values, t.N[row]), append(why.Values, nil)
		}
	}
	return append(columns, n, why)
}

// dimensionColumns are two columns for dimensions whose values have names, one for the others. Unknown is NULL.
func dimensionColumns(t *warehouse.Table) (columns []Column) {
	for _, dim := range t.Dims {
		name := strings.ToLower(string(dim.Dimension))
		switch dim.Dimension {
		case warehouse.ByRegion, warehouse.ByCategory:
			columns = append(columns,
				keyColumn(name+"_code", "Code of the "+name+"; empty if unknown, TOTAL for all", dim, func(k warehouse.Key) string { return k.Code }),
				keyColumn(name+"_name", "Its name", dim, func(k warehouse.Key) string { return k.Label }))
		default:
			columns = append(columns, keyColumn(name, "The "+name+"; TOTAL for all", dim, func(k warehouse.Key) string { return k.Code }))
		}
	}
	return columns
}

func keyColumn(name, meaning string, dim warehouse.Dim, of func(warehouse.Key) string) Column {
	c := Column{Name: name, Kind: Text, Meaning: meaning}
	for _, k := range dim.Keys {
		if text := of(k); text != "" {
			c.Values = append(c.Values, text)
		} else {
			c.Values = append(c.Values, nil)
		}
	}
	return c
}

func numberColumns(n warehouse.Num) []Column {
	name := snake(n.Name)
	columns := []Column{{Name: name, Kind: Decimal, Unit: n.Unit, Values: decimals(n.Value)}}
	if n.Lo != nil {
		columns = append(columns,
			Column{Name: name + "_lo", Kind: Decimal, Unit: n.Unit, Meaning: "Lower end of its 95 % interval", Values: decimals(n.Lo)},
			Column{Name: name + "_hi", Kind: Decimal, Unit: n.Unit, Meaning: "Upper end of its 95 % interval", Values: decimals(n.Hi)})
	}
	return columns
}

func decimals(values []*float64) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if v != nil {
			out[i] = *v
		}
	}
	return out
}

// snake turns responded24h into responded_24h, the way columns are named.
func snake(name string) string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		if b.Len() > 0 && (unicode.IsUpper(r) || unicode.IsDigit(r) && !unicode.IsDigit(before)) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return b.String()
}
