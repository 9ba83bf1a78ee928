package warehouse

import (
	"context"
	"slices"
)

// Outlines returns the outlines of regions as GeoJSON, by code; regions without one are absent.
func (m *Measures) Outlines(ctx context.Context, codes []string) (map[string]string, error) {
	outlines := map[string]string{}
	for chunk := range slices.Chunk(codes, labelsAtOnce) {
		s := statement{text: `SELECT r.code, b.geojson FROM (SELECT id, code FROM d_region FINAL WHERE _deleted = 0 AND code IN {codes:Array(String)}) AS r
			INNER JOIN (SELECT region_id, geojson FROM d_region_boundary FINAL WHERE _deleted = 0) AS b ON b.region_id = r.id`}.with("codes", chunk)
		err := m.each(ctx, "read outlines", s, func(scan func(...any) error) error {
			var code, text string
			err := scan(&code, &text)
			outlines[code] = text
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return outlines, nil
}

// Outlines returns the outlines of regions as GeoJSON, by code; regions without one are absent.
func (c *Cache) Outlines(ctx context.Context, codes []string) (map[string]string, error) {
	return c.measures.Outlines(ctx, codes)
}
