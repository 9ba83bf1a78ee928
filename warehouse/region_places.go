package warehouse

import (
	"context"
	"fmt"
)

// levelsOfAreas are those whose regions are areas of the base, or have areas below them (areaOf).
var levelsOfAreas = regionLevels[:3]

// regionPlaces are the places of the regions: where the code that the issues of a region are counted under, its own or that of the one of the level above it,
// stands among all such codes.
type regionPlaces struct {
	codes   []string // by place, from 1
	members []uint64 // hashes of the texts of ids of regions
	at      []uint32 // their places
}

// nameRegions finds the places of the regions, if the cells are of regions and there are not too many.
func (m *Measures) nameRegions(ctx context.Context, s *scope) (err error) {
	if !s.split(ByRegion) {
		return nil
	}
	s.places, err = recall(ctx, m, fmt.Sprintf("the places of regions of level %s, of areas %t", s.RegionLevel, s.base.areas), []string{"d_region"}, func() (*regionPlaces, error) {
		b := &builder{}
		b.write("SELECT ", hashed("toString(member)"), ", place, arrayElement(", s.regionCodes(b), ", place) FROM (", s.regionMap(b), ") ORDER BY place, member LIMIT {most:UInt32}")
		b.value("most", m.maxSent+1)
		found := &regionPlaces{codes: []string{}, members: []uint64{}, at: []uint32{}}
		var member uint64
		var place uint32
		var code string
		err := m.each(ctx, "find the places of regions", b.statement(), func(scan func(...any) error) error {
			err := scan(&member, &place, &code)
			found.members, found.at = append(found.members, member), append(found.at, place)
			if int(place) > len(found.codes) {
				found.codes = append(found.codes, code)
			}
			return err
		})
		if len(found.members) > m.maxSent {
			found = nil
		}
		return found, err
	})
	return err
}

// regionPlace writes SQL of the place of the code of the region of rows with that name, 0 if there is none. Regions are looked up by a hash, in which no two of a country's meet: the engine handles a constant of
// numbers in half the time of one of texts. The base has regions as texts of which few are distinct, so that each is looked up once.
func (s *scope) regionPlace(b *builder, rows string) string {
	of, by := hashed("ifNull("+rows+".region_id, "+noID+")"), hashed("member")
	switch {
	case s.base != nil && s.base.areas:
		of, by = hashed(rows+".area_id"), hashed("toString(member)")
	case s.base != nil:
		of, by = hashed("ifNull("+rows+".region_id, '')"), hashed("toString(member)")
	}
	if s.base != nil && s.places != nil {
		b.value("regions_at", s.places.at)
		b.value("regions_placed", s.places.members)
		return "toUInt32(transform(" + of + ", {regions_placed:Array(UInt64)}, {regions_at:Array(UInt32)}, toUInt32(0)))"
	}
	places := "(SELECT (groupArray(" + by + "), groupArray(place)) FROM (" + s.regionMap(b) + "))" // asked for twice, and looked up once
	return "toUInt32(transform(" + of + ", " + places + ".1, " + places + ".2, toUInt32(0)))"
}

func hashed(id string) string { return "cityHash64(" + id + ")" }

// regionMap leads from the id of a region, or of an area alone where the base tells areas, to the place, from 1, of the code that its issues are counted under.
func (s *scope) regionMap(b *builder) string {
	if s.RegionLevel == "" {
		return "SELECT id AS member, toUInt32(row_number() OVER (ORDER BY code, id)) AS place FROM d_region FINAL WHERE _deleted = 0 ORDER BY place"
	}
	some := ""
	switch {
	case s.base != nil && s.base.areas:
		some = " AND toString(id) IN (SELECT area FROM (" + areaOf("") + "))"
	case s.among != "":
		some = " AND id IN (SELECT region_id FROM f_issue WHERE id" + s.among + ")"
	}
	return "SELECT m.id AS member, indexOf(" + s.regionCodes(b) + ", m.ancestor) AS at, toUInt32(at) AS place" +
		" FROM (SELECT id, arrayJoin(splitByChar('.', path)) AS ancestor FROM d_region FINAL WHERE _deleted = 0" + some + ") AS m WHERE at > 0 ORDER BY member"
}

// regionCodes is SQL of the array of the codes by place.
func (s *scope) regionCodes(b *builder) string {
	if s.places != nil {
		b.value("region_codes", s.places.codes)
		return "{region_codes:Array(String)}"
	}
	if s.RegionLevel == "" {
		return "(SELECT groupArray(code) FROM (SELECT code FROM d_region FINAL WHERE _deleted = 0 ORDER BY code, id))"
	}
	b.value("level", s.RegionLevel)
	return "(SELECT groupArray(code) FROM (SELECT code FROM d_region FINAL WHERE _deleted = 0 AND level = {level:String} ORDER BY code, id))"
}
