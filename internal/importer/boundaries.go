package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"groundwork"
	"groundwork/internal/geometry"
)

// codeProperties are where files of outlines have the code of a region, in the order in which they are looked at.
var codeProperties = []string{"code", "adcode", "区划代码"}

// ReadBoundaries reads the outlines of regions from a FeatureCollection of GeoJSON: one feature a region, its code in the property code,
// adcode or 区划代码, or the one named. Codes of fewer than 12 digits are filled up with zeros. Source is who drew them. Rejects are
// numbered by feature.
func ReadBoundaries(data []byte, name, property, source string) (*Table[groundwork.BoundaryRow], error) {
	sum := sha256.Sum256(data)
	t := &Table[groundwork.BoundaryRow]{Name: name, SHA256: hex.EncodeToString(sum[:]), Raw: map[int][]string{}, Encoding: "GeoJSON"}
	var collection struct {
		Type     string            `json:"type"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(data, &collection); err != nil {
		return nil, fmt.Errorf("read %s: %w; give a FeatureCollection of GeoJSON", name, err)
	}
	if collection.Type != "FeatureCollection" {
		return nil, fmt.Errorf("read %s: its type is %q; give a FeatureCollection of GeoJSON", name, collection.Type)
	}
	properties := codeProperties
	if property != "" {
		properties = []string{property}
	}
	first := map[string]string{}
	for i, text := range collection.Features {
		t.Read++
		row, bad := boundaryRow(i+1, text, properties)
		if row.Code != "" {
			t.Raw[row.Line] = []string{row.Code}
		}
		switch before, twice := first[row.Code]; {
		case bad != nil:
			t.Refuse(row.Line, bad.field, bad.value, bad.reason)
		case twice && before == row.Boundary.GeoJSON:
			t.Duplicates++
		case twice:
			t.Refuse(row.Line, "code", row.Code, "this stands earlier in the file with another outline; the first one was kept. A region of several parts is one MultiPolygon")
		default:
			row.Boundary.Source = source
			first[row.Code] = row.Boundary.GeoJSON
			t.Rows = append(t.Rows, row)
		}
	}
	return t, nil
}

func boundaryRow(n int, text json.RawMessage, properties []string) (groundwork.BoundaryRow, *fault) {
	row := groundwork.BoundaryRow{Line: n}
	var feature struct {
		Properties map[string]any  `json:"properties"`
		Geometry   json.RawMessage `json:"geometry"`
	}
	if err := json.Unmarshal(text, &feature); err != nil {
		return row, &fault{"feature", "", "it is no feature of GeoJSON: " + err.Error()}
	}
	code := codeOf(feature.Properties, properties)
	if code == "" {
		return row, &fault{"code", "", "the feature has no property " + strings.Join(properties, ", ") + "; name the one with the code by --code-property"}
	}
	row.Code = code + strings.Repeat("0", max(0, 12-len(code)))
	if !regionCode.MatchString(row.Code) {
		return row, &fault{"code", code, "expected up to 12 digits"}
	}
	shape, err := geometry.Parse(feature.Geometry)
	if err != nil {
		return row, &fault{"geometry", row.Code, err.Error()}
	}
	row.Boundary = Boundary(shape)
	return row, nil
}

// Boundary is a shape as the domain has it.
func Boundary(s geometry.Shape) groundwork.Boundary {
	return groundwork.Boundary{GeoJSON: s.GeoJSON(), South: s.Bound.Bottom(), West: s.Bound.Left(), North: s.Bound.Top(), East: s.Bound.Right(),
		Latitude: s.Centroid.Lat(), Longitude: s.Centroid.Lon()}
}

// codeOf takes codes that are written as numbers too.
func codeOf(properties map[string]any, names []string) string {
	for _, name := range names {
		switch v := properties[name].(type) {
		case string:
			return strings.TrimSpace(v)
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	}
	return ""
}

var neighbourColumns = []column{
	{name: "region", chinese: "区划代码", required: true}, {name: "neighbour", chinese: "相邻区划代码", required: true},
	{name: "valid_from", chinese: "生效日期"}, {name: "valid_to", chinese: "失效日期"},
}

// ReadNeighbours reads pairs of regions that touch; each pair may stand once, in either order.
func ReadNeighbours(data []byte, name string) (*Table[groundwork.NeighbourRow], error) {
	return tableOf(data, name, neighbourColumns, func(c cells) groundwork.NeighbourRow {
		return groundwork.NeighbourRow{Line: c.line, Codes: [2]string{c.code("region"), c.code("neighbour")}, Source: groundwork.ListedPair,
			From: c.day("valid_from"), To: c.day("valid_to")}
	}, func(r groundwork.NeighbourRow) string {
		pair := slices.Sorted(slices.Values(r.Codes[:]))
		return strings.Join(pair, " ")
	})
}

// BorderPairs finds which outlines of one level touch.
func BorderPairs(outlines []groundwork.Outline) ([]groundwork.NeighbourRow, error) {
	shapes := make([]geometry.Shape, len(outlines))
	for i, o := range outlines {
		var err error
		if shapes[i], err = geometry.Parse([]byte(o.GeoJSON)); err != nil {
			return nil, fmt.Errorf("outline of region %s: %w", o.Code, err)
		}
	}
	var rows []groundwork.NeighbourRow
	for _, pair := range geometry.Neighbours(shapes) {
		rows = append(rows, groundwork.NeighbourRow{Codes: [2]string{outlines[pair[0]].Code, outlines[pair[1]].Code}, Source: groundwork.SharedBorder})
	}
	return rows, nil
}
