package simulate

import (
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/internal/geometry"
)

// shape is how many regions a province has: children of each region, level by level.
type shape struct{ prefectures, counties, townships, committees int }

// shapeFor keeps enough counties to compare treated with untreated ones, and enough issues in each to see anything.
func shapeFor(issues int64) shape {
	switch {
	case issues < 500:
		return shape{2, 3, 2, 2}
	case issues < 200_000:
		return shape{4, 6, 5, 5}
	case issues < 20_000_000:
		return shape{6, 7, 8, 6}
	default:
		return shape{10, 9, 10, 8}
	}
}

// committee is a village or a community: where people live and issues arise.
type committee struct {
	region   int // index into Regions
	township int
	county   int
	urban    bool
	name     string
	persons  float64
	weight   float64 // persons × need × how readily they report
	report   float64 // how readily people report, 1 = average
	site     int     // its own site, index into Sites
}

type township struct {
	region, county int
	committees     []int
	sites          map[groundwork.SiteKind][]int
	government     int // unit
	silent         bool
}

type county struct {
	region, prefecture int
	name               string
	townships          []int
	departments        []int // units, as the list of departments
	supervision, hall  int   // units
	cohort             int   // of the policies: 0 = never
	pace               float64
}

type prefecture struct {
	region   int
	counties []int
	callers  int // unit
}

// post is an official in office who makes visits.
type post struct {
	holding     int // index into Posts
	rank        groundwork.Rank
	county      int // -1 for prefecture posts
	prefecture  int
	township    int // -1 above
	unit        int
	seat        int // whose holder it is, for a time
	from, until time.Time
	habits      habits
}

// world is all that stands before anything happens. It does not grow with the number of issues.
type world struct {
	groundwork.Foundation
	cfg         Config
	shapes      []geometry.Shape // of the regions
	committees  []committee
	townships   []township
	counties    []county
	prefectures []prefecture
	lead        int // unit that leads campaigns
	reviewer    int // unit that judges them
	posts       []post
	seats       []seat
	rotas       []rota
	units       []unit
	topics      []topicPlace
	first       time.Time
	worked      []bool // by the number of days since first
}

// unit is how an organisation works.
type unit struct {
	county int
	habits unitHabits
}

// topicPlace is where a topic stands in the tree of categories.
type topicPlace struct{ category uuid.UUID }

var prefectureNames = []string{"X市", "Y市", "Z市", "W市", "V市", "U市", "T市", "S市", "R市", "Q市"}

var villageNames = []string{"云溪", "白鹭", "新桥", "石榴", "南渡", "松涛", "青禾", "望江", "金穗", "梧桐", "竹园", "枫树", "柳塘", "荷塘", "茶岭", "砖窑", "桑园",
	"杏林", "兰田", "鹿鸣"}

func newWorld(cfg Config) *world {
	w := &world{cfg: cfg}
	w.Calendar = calendar(cfg)
	w.rememberWorkdays()
	c := chanceOf(cfg.Seed, streamWorld, 0)
	w.addCategories(c)
	w.addRegions(c, shapeFor(cfg.Issues))
	w.addUnits(c)
	w.addPosts(c)
	w.addPolicies(chanceOf(cfg.Seed, streamPolicy, 1<<63))
	return w
}

// founded is when everything that stands at the beginning was set up.
func (w *world) founded() time.Time { return w.cfg.From.AddDate(-1, 0, 0) }

func (w *world) addCategories(c chance) {
	groups := map[string]uuid.UUID{}
	for _, t := range topics {
		if _, ok := groups[t.group]; !ok {
			id := c.id(w.founded())
			groups[t.group] = id
			w.Categories = append(w.Categories, groundwork.Category{ID: id, Code: "SIM-" + t.group, Version: 1, Name: t.group,
				Path: []string{t.group}, ValidFrom: w.founded()})
		}
		parent, id := groups[t.group], c.id(w.founded())
		w.Categories = append(w.Categories, groundwork.Category{ID: id, Code: t.code, Version: 1, ParentID: &parent, Name: t.name,
			Path: []string{t.group, t.name}, ValidFrom: w.founded()})
		w.topics = append(w.topics, topicPlace{category: id})
		w.addTargets(c, len(w.topics)-1, t.target)
	}
}

// province is the code of the simulated province: no real one begins so.
const province = "99"

// extent of the province on the map: open sea.
const south, west, height, width = 17.0, 132.0, 3.0, 4.0

// box is a part of the map; regions tile it.
type box struct{ south, west, height, width float64 }

// part returns the n-th of count tiles.
func (b box) part(n, count int) box {
	columns := int(math.Ceil(math.Sqrt(float64(count))))
	rows := (count + columns - 1) / columns
	h, w := b.height/float64(rows), b.width/float64(columns)
	return box{b.south + h*float64(n/columns), b.west + w*float64(n%columns), h, w}
}

func (w *world) addRegion(c chance, code string, level groundwork.RegionLevel, parent int, name string, b box) int {
	r := groundwork.Region{ID: c.id(w.founded()), Code: code, Level: level, Name: name,
		Latitude: new(b.south + b.height/2), Longitude: new(b.west + b.width/2)}
	if parent >= 0 {
		r.ParentID = &w.Regions[parent].ID
	}
	shape := geometry.Box(b.south, b.west, b.south+b.height, b.west+b.width)
	w.shapes = append(w.shapes, shape)
	w.Boundaries = append(w.Boundaries, groundwork.Boundary{RegionID: r.ID, GeoJSON: shape.GeoJSON(), South: shape.Bound.Bottom(), West: shape.Bound.Left(),
		North: shape.Bound.Top(), East: shape.Bound.Right(), Latitude: shape.Centroid.Lat(), Longitude: shape.Centroid.Lon(), Source: Source})
	w.Regions = append(w.Regions, r)
	return len(w.Regions) - 1
}

func (w *world) addRegions(c chance, s shape) {
	w.Regions = make([]groundwork.Region, 0, 1+s.prefectures*(1+s.counties*(1+s.townships*(1+s.committees))))
	whole := box{south, west, height, width}
	top := w.addRegion(c, province+"0000000000", groundwork.Province, -1, "W省", whole)
	for p := range s.prefectures {
		b := whole.part(p, s.prefectures)
		code := fmt.Sprintf("%s%02d", province, p+1)
		region := w.addRegion(c, code+"00000000", groundwork.Prefecture, top, prefectureNames[p], b)
		w.prefectures = append(w.prefectures, prefecture{region: region})
		for n := range s.counties {
			w.addCounty(c, s, p, n, code, b.part(n, s.counties))
		}
	}
	w.addNeighbours()
	w.addPopulations()
}

// addNeighbours finds which regions of a level touch, as an import of their outlines would.
func (w *world) addNeighbours() {
	for _, level := range groundwork.RegionLevels {
		var at []int
		var shapes []geometry.Shape
		for i, r := range w.Regions {
			if r.Level == level {
				at, shapes = append(at, i), append(shapes, w.shapes[i])
			}
		}
		for _, pair := range geometry.Neighbours(shapes) {
			w.Neighbours = append(w.Neighbours, groundwork.Neighbours(w.Regions[at[pair[0]]].ID, w.Regions[at[pair[1]]].ID, groundwork.SharedBorder))
		}
	}
}

func (w *world) addCounty(c chance, s shape, p, n int, code string, b box) {
	urban := n < s.counties/2
	letter := prefectureNames[p][:1]
	name := fmt.Sprintf("%s%d县", letter, n+1)
	if urban {
		name = fmt.Sprintf("%s%d区", letter, n+1)
	}
	code = fmt.Sprintf("%s%02d", code, n+1)
	at := len(w.counties)
	w.counties = append(w.counties, county{prefecture: p, name: name, pace: c.around(0.25),
		region: w.addRegion(c, code+"000000", groundwork.County, w.prefectures[p].region, name, b)})
	w.prefectures[p].counties = append(w.prefectures[p].counties, at)
	for t := range s.townships {
		w.addTownship(c, s, at, t, code, b.part(t, s.townships), urban)
	}
}

func (w *world) addTownship(c chance, s shape, in, n int, code string, b box, urbanCounty bool) {
	urban := urbanCounty && n > 0 || !urbanCounty && n == 0
	word := "镇"
	if urban {
		word = "街道"
	}
	name := w.counties[in].name + villageNames[n%len(villageNames)] + word
	code = fmt.Sprintf("%s%03d", code, n+1)
	at := len(w.townships)
	w.townships = append(w.townships, township{county: in, sites: map[groundwork.SiteKind][]int{},
		region: w.addRegion(c, code+"000", groundwork.Township, w.counties[in].region, name, b)})
	w.counties[in].townships = append(w.counties[in].townships, at)
	need := c.around(0.2)
	for v := range s.committees {
		w.addCommittee(c, at, v, code, b.part(v, s.committees), urban, need)
	}
	t := &w.townships[at]
	for _, kind := range []groundwork.SiteKind{groundwork.Factory, groundwork.Factory, groundwork.School, groundwork.Hospital, groundwork.GovtWindow} {
		w.addSite(c, at, kind, t.committees[c.IntN(len(t.committees))])
	}
}

func (w *world) addCommittee(c chance, in, n int, code string, b box, urban bool, need float64) {
	t := &w.townships[in]
	kind, word, side, persons := groundwork.Rural, "村", "RURAL", 1800*c.around(0.35)
	if urban {
		kind, word, side, persons = groundwork.Community, "社区", "URBAN", 5200*c.around(0.35)
	}
	name := fmt.Sprintf("%s%s", villageNames[(n*3+in)%len(villageNames)], word)
	region := w.addRegion(c, fmt.Sprintf("%s%03d", code, n+1), groundwork.VillageCommittee, t.region, name, b)
	w.Regions[region].UrbanRural = &side
	report := c.around(0.2)
	at := len(w.committees)
	w.committees = append(w.committees, committee{region: region, township: in, county: t.county, urban: urban, name: name,
		persons: math.Round(persons), report: report, weight: math.Round(persons) * need * report})
	t.committees = append(t.committees, at)
	w.committees[at].site = w.addSite(c, in, kind, at)
}

var siteNames = map[groundwork.SiteKind]string{groundwork.Factory: "工厂", groundwork.School: "小学", groundwork.Hospital: "卫生院",
	groundwork.GovtWindow: "便民大厅", groundwork.Community: "居民活动室", groundwork.Rural: "村民小组"}

func (w *world) addSite(c chance, in int, kind groundwork.SiteKind, of int) int {
	region := w.Regions[w.committees[of].region]
	w.Sites = append(w.Sites, groundwork.Site{ID: c.id(w.founded()), RegionID: region.ID, Kind: kind,
		Name:     fmt.Sprintf("%s%s%d", w.committees[of].name, siteNames[kind], len(w.townships[in].sites[kind])+1),
		Latitude: new(*region.Latitude + c.Float64()*0.002), Longitude: new(*region.Longitude + c.Float64()*0.002), EligibleFrom: new(w.founded())})
	at := len(w.Sites) - 1
	w.townships[in].sites[kind] = append(w.townships[in].sites[kind], at)
	return at
}

// addPopulations counts people upwards from the committees, for every year.
func (w *world) addPopulations() {
	persons := map[uuid.UUID]float64{}
	byID := map[uuid.UUID]*groundwork.Region{}
	for i := range w.Regions {
		byID[w.Regions[i].ID] = &w.Regions[i]
	}
	for _, v := range w.committees {
		for r := &w.Regions[v.region]; r != nil; {
			persons[r.ID] += v.persons
			if r.ParentID == nil {
				break
			}
			r = byID[*r.ParentID]
		}
	}
	for year := w.cfg.From.Year() - 1; year <= w.cfg.To.Year(); year++ {
		for _, r := range w.Regions {
			w.Populations = append(w.Populations, groundwork.Population{RegionID: r.ID, Year: year, Persons: int64(persons[r.ID]), Source: "simulated"})
		}
	}
}

// calendar is the one given, and for years that it does not know the holidays whose dates are the same every year.
func calendar(cfg Config) groundwork.Calendar {
	days, years := groundwork.Calendar{}, map[string]bool{}
	for day, worked := range cfg.Calendar {
		days[day], years[day[:4]] = worked, true
	}
	for year := cfg.From.Year() - 1; year <= cfg.To.Year()+1; year++ {
		for _, h := range []struct{ month, day, length int }{{1, 1, 1}, {2, 10, 7}, {5, 1, 3}, {10, 1, 7}} {
			for n := range h.length {
				if !years[fmt.Sprint(year)] {
					days[groundwork.DayOf(Day(year, time.Month(h.month), h.day+n))] = false
				}
			}
		}
	}
	return days
}
