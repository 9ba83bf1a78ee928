// Package geometry reads the outlines of regions, examines them, and finds which touch. Outlines are in degrees of WGS 84; lengths here are
// degrees too, which is enough to tell whether borders meet.
package geometry

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// Shape is the outline of a region.
type Shape struct {
	orb.MultiPolygon
	Bound    orb.Bound
	Centroid orb.Point // of the area
}

// decimals of a degree that are kept: a millionth is a tenth of a metre.
const decimals = 1_000_000

// New examines an outline and rounds it to millionths of a degree. The error says which ring is wrong, and how.
func New(g orb.Geometry) (Shape, error) {
	var parts orb.MultiPolygon
	switch g := g.(type) {
	case orb.Polygon:
		parts = orb.MultiPolygon{g}
	case orb.MultiPolygon:
		parts = g
	case nil:
		return Shape{}, fmt.Errorf("it has no geometry; give a Polygon or MultiPolygon")
	default:
		return Shape{}, fmt.Errorf("a %s is no outline; give a Polygon or MultiPolygon", g.GeoJSONType())
	}
	if len(parts) == 0 {
		return Shape{}, fmt.Errorf("it has no ring; give at least one")
	}
	parts = parts.Clone()
	for p, polygon := range parts {
		if len(polygon) == 0 {
			return Shape{}, fmt.Errorf("part %d has no ring; give at least its outer one", p+1)
		}
		for r, ring := range polygon {
			if err := examine(ring); err != nil {
				return Shape{}, fmt.Errorf("ring %d of part %d: %w", r+1, p+1, err)
			}
			polygon[r] = rounded(ring)
			if err := plain(polygon[r]); err != nil {
				return Shape{}, fmt.Errorf("ring %d of part %d: %w", r+1, p+1, err)
			}
		}
	}
	s := Shape{MultiPolygon: parts, Bound: parts.Bound()}
	s.Centroid, _ = planar.CentroidArea(parts)
	return s, nil
}

// examine looks at the positions of a ring one by one.
func examine(ring orb.Ring) error {
	if len(ring) < 4 {
		return fmt.Errorf("%d positions make no ring; give at least 4, the last like the first", len(ring))
	}
	for _, p := range ring {
		if !(math.Abs(p.Lon()) <= 180) || !(math.Abs(p.Lat()) <= 90) {
			return fmt.Errorf("position [%v, %v] lies on no map; give longitude, then latitude, in degrees of WGS 84 (not metres of a projection)", p.Lon(), p.Lat())
		}
	}
	if ring[0] != ring[len(ring)-1] {
		return fmt.Errorf("the last position [%v, %v] is not the first [%v, %v]; close the ring", ring[len(ring)-1].Lon(), ring[len(ring)-1].Lat(), ring[0].Lon(), ring[0].Lat())
	}
	return nil
}

// rounded drops positions that fall together.
func rounded(ring orb.Ring) orb.Ring {
	ring = orb.Round(ring, decimals).(orb.Ring)
	kept := ring[:1]
	for _, p := range ring[1:] {
		if p != kept[len(kept)-1] {
			kept = append(kept, p)
		}
	}
	return kept
}

// plain refuses rings without area and rings that cross themselves.
func plain(ring orb.Ring) error {
	if len(ring) < 4 || planar.Area(ring) == 0 {
		return fmt.Errorf("it encloses no area at a millionth of a degree; leave it out")
	}
	if at, crossed := crossing(ring); crossed {
		return fmt.Errorf("it crosses itself near [%v, %v]; mend the outline", at.Lon(), at.Lat())
	}
	return nil
}

// object is a geometry of GeoJSON. Package geojson of orb would bring the driver of another database with it.
type object struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// Parse reads a geometry of GeoJSON.
func Parse(text []byte) (Shape, error) {
	var o object
	if err := json.Unmarshal(text, &o); err != nil {
		return Shape{}, fmt.Errorf("read the outline: %w", err)
	}
	var polygon orb.Polygon
	var parts orb.MultiPolygon
	var g orb.Geometry
	var err error
	switch o.Type {
	case "Polygon":
		err = json.Unmarshal(o.Coordinates, &polygon)
		g = polygon
	case "MultiPolygon":
		err = json.Unmarshal(o.Coordinates, &parts)
		g = parts
	case "":
	default:
		return Shape{}, fmt.Errorf("a %s is no outline; give a Polygon or MultiPolygon", o.Type)
	}
	if err != nil {
		return Shape{}, fmt.Errorf("read the outline: the coordinates are not those of a %s: %w", o.Type, err)
	}
	return New(g)
}

// GeoJSON writes the outline: a Polygon where it has one part.
func (s Shape) GeoJSON() string {
	kind, coordinates := "MultiPolygon", any(s.MultiPolygon)
	if len(s.MultiPolygon) == 1 {
		kind, coordinates = "Polygon", s.MultiPolygon[0]
	}
	text, err := json.Marshal(map[string]any{"type": kind, "coordinates": coordinates})
	if err != nil {
		panic(err) // positions are finite
	}
	return string(text)
}

// Box is the outline of a rectangle.
func Box(south, west, north, east float64) Shape {
	s, err := New(orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}.ToPolygon())
	if err != nil {
		panic(err)
	}
	return s
}
