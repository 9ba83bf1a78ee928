package open311

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"groundwork"
)

type request struct {
	XMLName       xml.Name `xml:"request" json:"-"`
	ID            string   `xml:"service_request_id" json:"service_request_id"`
	Status        string   `xml:"status" json:"status"`
	StatusNotes   text     `xml:"status_notes" json:"status_notes"`
	ServiceName   text     `xml:"service_name" json:"service_name"`
	ServiceCode   text     `xml:"service_code" json:"service_code"`
	Description   text     `xml:"description" json:"description"`
	Agency        text     `xml:"agency_responsible" json:"agency_responsible"`
	ServiceNotice text     `xml:"service_notice" json:"service_notice"`
	Requested     instant  `xml:"requested_datetime" json:"requested_datetime"`
	Updated       instant  `xml:"updated_datetime" json:"updated_datetime"`
	Expected      instant  `xml:"expected_datetime" json:"expected_datetime"`
	Address       text     `xml:"address" json:"address"`
	AddressID     text     `xml:"address_id" json:"address_id"`
	Zipcode       text     `xml:"zipcode" json:"zipcode"`
	Lat           degrees  `xml:"lat" json:"lat"`
	Long          degrees  `xml:"long" json:"long"`
	MediaURL      text     `xml:"media_url" json:"media_url"`
}

// unclassified is the name of the service of an issue whose category nobody has said yet.
const unclassified = "Unclassified · 未分类"

func requestOf(r groundwork.ServiceRequest) request {
	status, notes := statusOf(r)
	out := request{
		ID: r.Ref, Status: status, StatusNotes: text(notes), ServiceName: unclassified, Agency: said(r.Agency), Description: said(r.Text),
		Requested: at(r.OriginAt), Updated: at(r.UpdatedAt), Expected: instant{r.DueAt}, Address: text(strings.Join(r.Place, ", ")),
		Lat: degrees{r.Latitude}, Long: degrees{r.Longitude},
	}
	if r.Code != nil {
		out.ServiceCode, out.ServiceName = said(r.Code), said(r.Name)
	}
	return out
}

func said(s *string) text {
	if s == nil {
		return ""
	}
	return text(*s)
}

// statusOf tells apart what the specification calls by two names: that an office is done is not yet that it is closed, and closed is
// not yet that the reporter confirmed it. The notes begin with a word that programs can rely on.
func statusOf(r groundwork.ServiceRequest) (status, notes string) {
	switch {
	case r.State == groundwork.Merged && r.MergedInto != nil:
		return "closed", "MERGED: the same matter as " + *r.MergedInto + ", where it is handled."
	case r.State == groundwork.Merged:
		return "closed", "MERGED: the same matter as another request, where it is handled."
	case r.State == groundwork.Closed:
		return "closed", closures[*r.ClosureType]
	case r.State == groundwork.Claimed:
		return "open", "CLAIMED: the office says that it is done; the reporter has not confirmed it yet."
	}
	return "open", openNotes[r.State]
}

var closures = map[groundwork.Closure]string{
	groundwork.Confirmed:   "CONFIRMED: resolved, as the reporter confirmed.",
	groundwork.Unconfirmed: "UNCONFIRMED: closed because the reporter could not be reached; nobody confirmed that it is resolved.",
	groundwork.Explained:   "EXPLAINED: closed with an explanation and its legal basis; not resolved as asked.",
	groundwork.ReferredOut: "REFERRED_OUT: handed over to another authority, which has received it.",
	groundwork.Withdrawn:   "WITHDRAWN: by the reporter.",
}

var openNotes = map[groundwork.State]string{
	groundwork.Registered:      "REGISTERED: waits for the office in charge.",
	groundwork.Dispatched:      "DISPATCHED: sent to the office in charge.",
	groundwork.InProgress:      "IN_PROGRESS: the office works on it.",
	groundwork.AwaitingCitizen: "AWAITING_CITIZEN: the office has asked the reporter a question.",
	groundwork.Planned:         "PLANNED: needs more time; the office has named a date and a reason.",
}

func (a *api) requests(r *http.Request, _ string) (any, error) {
	jurisdiction, err := a.jurisdiction(r)
	if err != nil {
		return nil, err
	}
	filter, err := filterOf(r.URL.Query(), a.Now())
	if err != nil {
		return nil, err
	}
	filter.Jurisdiction = jurisdiction
	return a.list(r, filter)
}

func (a *api) list(r *http.Request, f groundwork.ServiceRequestFilter) (list[request], error) {
	found, err := a.Store.ServiceRequests(r.Context(), f)
	items := make([]request, len(found))
	for i := range found {
		items[i] = requestOf(found[i])
	}
	return listOf("service_requests", items), err
}

func (a *api) request(r *http.Request, id string) (any, error) {
	if _, err := a.jurisdiction(r); err != nil {
		return nil, err
	}
	found, err := a.list(r, groundwork.ServiceRequestFilter{Refs: []string{id}, Limit: 1})
	if err == nil && len(found.Items) == 0 {
		err = groundwork.Errorf(groundwork.CodeNotFound, "service_request_id %.40q was not found; it may be confidential", id)
	}
	return found, err
}

type tokenAnswer struct {
	XMLName xml.Name `xml:"request" json:"-"`
	ID      string   `xml:"service_request_id" json:"service_request_id"`
	Token   string   `xml:"token" json:"token"`
}

// token turns the id of an opinion that was submitted otherwise into the number of the request that it led to.
func (a *api) token(r *http.Request, token string) (any, error) {
	if _, err := a.jurisdiction(r); err != nil {
		return nil, err
	}
	missing := groundwork.Errorf(groundwork.CodeNotFound, "token %.40q was not found, or no request has come of it yet", token)
	opinion, err := uuid.Parse(token)
	if err != nil {
		return nil, missing
	}
	ref, err := a.Store.ServiceRequestRef(r.Context(), opinion)
	if err == nil && ref == "" {
		err = missing
	}
	return listOf("service_requests", []tokenAnswer{{ID: ref, Token: token}}), err
}

// Bounds of a list of requests, as the specification has them; page and page_size are its most common extension.
const (
	maxDays     = 90
	maxPageSize = 1000
	maxOffset   = 100_000
	maxNamed    = 100
)

func filterOf(q url.Values, now time.Time) (f groundwork.ServiceRequestFilter, err error) {
	f.Limit = maxPageSize
	if f.Refs, err = names(q, "service_request_id"); err != nil || len(f.Refs) > 0 {
		return f, err
	}
	if f.Codes, err = names(q, "service_code"); err != nil {
		return f, err
	}
	if f.Open, err = openOnly(q); err != nil {
		return f, err
	}
	if f.Origin, err = window(q, now); err != nil {
		return f, err
	}
	return f, pageOf(q, &f)
}

// names reads values that may be given several times and separated by commas.
func names(q url.Values, field string) (all []string, err error) {
	for _, given := range q[field] {
		for name := range strings.SplitSeq(given, ",") {
			if name = strings.TrimSpace(name); name != "" {
				all = append(all, name)
			}
		}
	}
	if len(all) > maxNamed {
		return nil, groundwork.Invalid(field, "%s names %d; give at most %d at once", field, len(all), maxNamed)
	}
	return all, nil
}

func openOnly(q url.Values) (*bool, error) {
	wanted, err := names(q, "status")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, status := range wanted {
		if status != "open" && status != "closed" {
			return nil, groundwork.Invalid("status", "status %.40q is unknown; give open, closed or both", status)
		}
		seen[status] = true
	}
	if len(seen) != 1 {
		return nil, nil
	}
	return new(seen["open"]), nil
}

// window reads the days of origin. It widens them to whole days in China: what the public knows to the day cannot be asked for finer.
func window(q url.Values, now time.Time) (groundwork.TimeRange, error) {
	start, err := moment(q, "start_date")
	if err != nil {
		return groundwork.TimeRange{}, err
	}
	end, err := moment(q, "end_date")
	if err != nil {
		return groundwork.TimeRange{}, err
	}
	switch {
	case start == nil && end == nil:
		end = &now
		start = new(now.AddDate(0, 0, -maxDays))
	case start == nil:
		start = new(end.AddDate(0, 0, -maxDays))
	case end == nil:
		end = new(start.AddDate(0, 0, maxDays))
	}
	if end.Before(*start) {
		return groundwork.TimeRange{}, groundwork.Invalid("end_date", "end_date lies before start_date; swap them")
	}
	if end.Sub(*start) > maxDays*24*time.Hour {
		return groundwork.TimeRange{}, groundwork.Invalid("end_date", "start_date and end_date span more than %d days; ask for several spans", maxDays)
	}
	return groundwork.TimeRange{From: new(dayOf(*start)), To: new(dayOf(*end).AddDate(0, 0, 1))}, nil
}

func dayOf(t time.Time) time.Time {
	y, m, d := t.In(groundwork.China).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, groundwork.China)
}

func moment(q url.Values, field string) (*time.Time, error) {
	given := q.Get(field)
	if given == "" {
		return nil, nil
	}
	// In a query a plus sign reads as a space, which many a client forgets to escape.
	t, err := time.Parse(time.RFC3339, strings.Replace(given, " ", "+", 1))
	if err != nil {
		return nil, groundwork.Invalid(field, "%s %.40q is no time; write it like 2026-01-01T00:00:00Z or 2026-01-01T08:00:00%%2B08:00", field, given)
	}
	return &t, nil
}

func pageOf(q url.Values, f *groundwork.ServiceRequestFilter) (err error) {
	if f.Limit, err = whole(q, "page_size", maxPageSize, maxPageSize); err != nil {
		return err
	}
	page, err := whole(q, "page", 1, maxOffset)
	if err != nil {
		return err
	}
	if f.Offset = (page - 1) * f.Limit; f.Offset > maxOffset {
		return groundwork.Invalid("page", "page %d begins after %d requests; narrow start_date and end_date instead", page, maxOffset)
	}
	return nil
}

func whole(q url.Values, field string, otherwise, most int) (int, error) {
	given := q.Get(field)
	if given == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(given)
	if err != nil || n < 1 || n > most {
		return 0, groundwork.Invalid(field, "%s %.40q: give a whole number from 1 to %d", field, given, most)
	}
	return n, nil
}
