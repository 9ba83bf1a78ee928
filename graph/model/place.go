package model

import (
	"encoding/json"
	"maps"
	"slices"

	"groundwork"
	"groundwork/warehouse"
)

// RegionBoundary is the outline of a region.
type RegionBoundary struct{ *groundwork.Boundary }

// Geometry is the outline itself.
func (b RegionBoundary) Geometry() GeoJSON { return GeoJSON(b.GeoJSON) }

// Centroid is that of the area.
func (b RegionBoundary) Centroid() Place {
	return Place{Latitude: b.Latitude, Longitude: b.Longitude}
}

// MeasureMap is a measure's table by region, with the outlines of its regions.
type MeasureMap struct {
	Table    *warehouse.Table
	Outlines map[string]string // GeoJSON by code
	Columns  []string          // nil = all
}

// Count is the number of features.
func (m *MeasureMap) Count() int { return len(m.regions()) }

// regions are the rows of known regions: one of unknown region has no place on a map.
func (m *MeasureMap) regions() []int {
	var rows []int
	for row, key := range m.Table.Dims[0].Keys {
		if key.Code != "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// WithoutOutline is the number of features without a geometry.
func (m *MeasureMap) WithoutOutline() int {
	n := 0
	for _, row := range m.regions() {
		if m.Outlines[m.Table.Dims[0].Keys[row].Code] == "" {
			n++
		}
	}
	return n
}

// Truncated reports whether regions were left out.
func (m *MeasureMap) Truncated() bool { return m.Table.Truncated }

// About is what a reader must know of the numbers.
func (m *MeasureMap) About() *MeasureInfo { return &MeasureInfo{m.Table} }

type feature struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"`
	Geometry   json.RawMessage `json:"geometry"`
	Properties map[string]any  `json:"properties"`
}

// Features is the FeatureCollection.
func (m *MeasureMap) Features() (GeoJSON, error) {
	features := make([]feature, 0, len(m.Table.N))
	counts := shownCounts(m.Table)
	for _, row := range m.regions() {
		key := m.Table.Dims[0].Keys[row]
		f := feature{Type: "Feature", ID: key.Code, Properties: map[string]any{"code": key.Code, "name": key.Label, "n": counts[row], "flags": m.flags(row)}}
		if outline := m.Outlines[key.Code]; outline != "" {
			f.Geometry = json.RawMessage(outline)
		}
		m.numbers(row, f.Properties)
		features = append(features, f)
	}
	text, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	return GeoJSON(text), err
}

func (m *MeasureMap) numbers(row int, properties map[string]any) {
	for _, n := range m.Table.Nums {
		if m.Columns != nil && !slices.Contains(m.Columns, n.Name) {
			continue
		}
		properties[n.Name] = n.Value[row]
		if n.Lo != nil {
			properties[n.Name+"Low"], properties[n.Name+"High"] = n.Lo[row], n.Hi[row]
		}
	}
}

func (m *MeasureMap) flags(row int) []string {
	raised := []string{}
	for _, name := range slices.Sorted(maps.Keys(m.Table.Flags)) {
		if column := m.Table.Flags[name]; row < len(column) && column[row] {
			raised = append(raised, name)
		}
	}
	return raised
}

// MeasureFlag is a finding of a measure.
type MeasureFlag struct {
	Measure MeasureCode
	Name    string
	Values  []bool
}

// ownColumns are the flags that every number shows beside itself.
var ownColumns = []string{"unstable", "provisional", "suppressed", "partsSuppressed"}

// Flags are what the rows are found to be.
func (a *MeasuresAnswer) Flags() []MeasureFlag {
	flags := []MeasureFlag{}
	for _, t := range a.Tables {
		for _, name := range slices.Sorted(maps.Keys(t.Flags)) {
			if column := t.Flags[name]; column != nil && !slices.Contains(ownColumns, name) {
				flags = append(flags, MeasureFlag{MeasureCode(t.Measure), name, column})
			}
		}
	}
	return flags
}
