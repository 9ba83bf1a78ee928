package model

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork/warehouse"
)

// MeasureTable is a measure's answer. Its methods are the fields of the types that the schema has for single measures.
type MeasureTable struct{ *warehouse.Table }

// N is how many issues each row rests on, nil where hidden.
func (t *MeasureTable) N() []*int64 { return shownCounts(t.Table) }

func shownCounts(t *warehouse.Table) []*int64 {
	shown := make([]*int64, len(t.N))
	for i := range t.N {
		if !raised(t, "suppressed", i) {
			shown[i] = &t.N[i]
		}
	}
	return shown
}

// Dimensions are the columns of the split.
func (t *MeasureTable) Dimensions() []DimensionColumn {
	columns := make([]DimensionColumn, len(t.Dims))
	for i, d := range t.Dims {
		columns[i] = dimensionColumn(d)
	}
	return columns
}

func dimensionColumn(d warehouse.Dim) DimensionColumn {
	c := DimensionColumn{
		Dimension: d.Dimension,
		Ids:       make([]*ID, len(d.Keys)), Codes: make([]*string, len(d.Keys)), Labels: make([]*string, len(d.Keys)),
	}
	for i, k := range d.Keys {
		c.Ids[i] = keyID(d.Dimension, k.ID)
		c.Codes[i], c.Labels[i] = known(k, k.Code), known(k, k.Label)
	}
	return c
}

// known is nil for the key that stands for "unknown".
func known(k warehouse.Key, text string) *string {
	if k.ID == "" {
		return nil
	}
	return &text
}

// keyID is the global id of a dimension's value; values that are no things have none.
func keyID(d warehouse.Dimension, text string) *ID {
	kind, ok := map[warehouse.Dimension]string{warehouse.ByRegion: TypeRegion, warehouse.ByCategory: TypeCategory, warehouse.ByPolicyChange: TypePolicyChange,
		warehouse.ByCampaign: TypeCampaign}[d]
	id, err := uuid.Parse(text)
	if !ok || err != nil {
		return nil
	}
	return &ID{kind, id}
}

// number is the column of that name, nil if the answer has none.
func (t *MeasureTable) number(name string) *NumberColumn {
	for _, n := range t.Nums {
		if n.Name == name {
			return &NumberColumn{Unit: n.Unit, Values: n.Value, CiLow: n.Lo, CiHigh: n.Hi, Suppressed: hiddenValues(t.Table, n)}
		}
	}
	return nil
}

// hiddenValues are the values of a number that are hidden: with their whole row, or because of how the row divides.
func hiddenValues(t *warehouse.Table, n warehouse.Num) []bool {
	hidden := make([]bool, len(n.Value))
	for i := range hidden {
		hidden[i] = raised(t, "suppressed", i) || n.Value[i] == nil && raised(t, "partsSuppressed", i)
	}
	return hidden
}

// raised reports whether a row has the flag.
func raised(t *warehouse.Table, flag string, row int) bool {
	column := t.Flags[flag]
	return row < len(column) && column[row]
}

// flag is the column of a flag; one that the measure does not raise is false throughout.
func (t *MeasureTable) flag(name string) []bool {
	if column := t.Flags[name]; column != nil {
		return column
	}
	return make([]bool, len(t.Table.N))
}

// The flags.
func (t *MeasureTable) Unstable() []bool     { return t.flag("unstable") }
func (t *MeasureTable) Provisional() []bool  { return t.flag("provisional") }
func (t *MeasureTable) Suppressed() []bool   { return t.flag("suppressed") }
func (t *MeasureTable) NoPopulation() []bool { return t.flag("noPopulation") }
func (t *MeasureTable) Above() []bool        { return t.flag("above") }
func (t *MeasureTable) Below() []bool        { return t.flag("below") }
func (t *MeasureTable) Descriptive() []bool  { return t.flag("descriptive") }
func (t *MeasureTable) PreTrend() []bool     { return t.flag("preTrend") }

// About is what a reader must know of the answer.
func (t *MeasureTable) About() *MeasureInfo { return &MeasureInfo{t.Table} }

// MeasureInfo is what a reader must know of an answer.
type MeasureInfo struct{ *warehouse.Table }

// Watermark is how far the warehouse had the system of record.
func (i *MeasureInfo) Watermark() *Watermark { return NewWatermark(i.Table.Watermark) }

// RowCount is the number of rows.
func (i *MeasureInfo) RowCount() int { return len(i.N) }

// Notes are never null.
func (i *MeasureInfo) Notes() []string { return append([]string{}, i.Table.Notes...) }

// Excluded are the issues left out, by reason.
func (i *MeasureInfo) Excluded() []Exclusion {
	exclusions := []Exclusion{}
	for _, reason := range slices.Sorted(maps.Keys(i.Table.Excluded)) {
		exclusions = append(exclusions, Exclusion{Reason: reason, Count: int32(i.Table.Excluded[reason])})
	}
	return exclusions
}

// Watermark says how far the warehouse has the system of record.
type Watermark struct {
	Lsn         string
	CommittedAt time.Time
}

// NewWatermark shows the position in Postgres's own form.
func NewWatermark(w warehouse.Watermark) *Watermark {
	return &Watermark{Lsn: fmt.Sprintf("%X/%X", w.LSN>>32, uint32(w.LSN)), CommittedAt: w.CommittedAt}
}
