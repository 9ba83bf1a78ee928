package groundwork

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
)

// ServiceStore is the system of record as other applications see it over Open311: what they may file, and what the public may
// know of issues. It never gives away an issue that has a confidential opinion, words that are not PUBLIC, where exactly or at what
// time of day something happened, or who said it.
type ServiceStore interface {
	// Services lists what can be asked for on a day: the categories valid then that have none below them, by code; with a code, that
	// one alone.
	Services(ctx context.Context, on time.Time, code string) ([]Service, error)
	// ServiceRequests lists issues, latest origin first. Jurisdictions and codes that do not exist find nothing.
	ServiceRequests(ctx context.Context, f ServiceRequestFilter) ([]ServiceRequest, error)
	// ServiceRequestRef is the public reference of the issue that an opinion belongs to; empty if there is none yet.
	ServiceRequestRef(ctx context.Context, opinionID uuid.UUID) (ref string, err error)
	// FileServiceRequest records an opinion and registers an issue on it, both or neither. A filing with the external id of an
	// earlier one of the account is that one: it changes nothing, and is CodeConflict if it says something else.
	FileServiceRequest(ctx context.Context, by Actor, f Filing) (Filed, Receipt, error)
}

// Service is what can be asked for.
type Service struct {
	CategoryID uuid.UUID
	Code       string
	Name       string
	Path       []string // names from the top of the tree down to it
}

// ServiceRequestFilter narrows a list of service requests; zero fields do not narrow. Refs narrow alone.
type ServiceRequestFilter struct {
	Refs         []string
	Jurisdiction string // code of a region, with everything below
	Codes        []string
	Origin       TimeRange
	Open         *bool
	Offset       int
	Limit        int
}

// ServiceRequest is what the public may know of an issue.
type ServiceRequest struct {
	IssueID      uuid.UUID
	Ref          string
	State        State
	ClosureType  *Closure
	ClaimKind    *string // of the last claim
	MergedIntoID *uuid.UUID
	MergedInto   *string // public reference of that issue, if the public may know it
	Code, Name   *string // of its category
	Agency       *string // name of the unit in charge
	Place        []string
	UrbanRural   *string
	Latitude     *float64
	Longitude    *float64
	Text         *string // of its first PUBLIC opinion
	OriginAt     time.Time
	UpdatedAt    time.Time // when it was closed, else when something last happened
	DueAt        *time.Time
}

// Public takes away what is finer than the public may know: places are moved (Displacer), times are those of the day's beginning,
// the address and the photo stay with those who handle it.
func (r ServiceRequest) Public(d Displacer) ServiceRequest {
	if r.Latitude != nil && r.Longitude != nil {
		latitude, longitude := d.Move(*r.Latitude, *r.Longitude, r.UrbanRural != nil && *r.UrbanRural == "URBAN")
		r.Latitude, r.Longitude = &latitude, &longitude
	}
	if r.Text != nil {
		said, _, _ := strings.Cut(*r.Text, detailMark)
		r.Text = &said
	}
	r.OriginAt, r.UpdatedAt = midnight(r.OriginAt), midnight(r.UpdatedAt)
	if r.DueAt != nil {
		r.DueAt = new(midnight(*r.DueAt)) // it tells the time of origin, to which it is a fixed span
	}
	return r
}

// Filing asks for a service on behalf of a citizen.
type Filing struct {
	Account         string // of the application
	ExternalID      string // the application's own number; empty = none, then a retry files again
	Service         Service
	Kind            OpinionKind // empty = HELP
	Confidentiality string      // empty = NAME_HIDDEN
	Text            string
	Address         string
	MediaURL        string
	Latitude        *float64
	Longitude       *float64
	RegionCode      string   // empty = unknown
	ReporterKey     string   // the citizen's account, address or device in that application; goes to the vault alone
	Contact         *Contact `json:"-"` // goes to the vault alone, where there is one
}

// Filed is what a filing made.
type Filed struct {
	Ref    string // public reference of the issue
	Secret string // of the opinion; empty if an earlier filing is answered again and the server has no key to make it from
}

// FilingSource is the source of the opinions that an application files.
func FilingSource(account string) string { return "open311:" + account }

// detailMark begins, in the text of an opinion that was filed, what those who handle it need and the public does not.
const detailMark = "\n\n-- \n"

// Opinion is the opinion that the filing makes.
func (f Filing) Opinion(regionID *uuid.UUID) Opinion {
	o := Opinion{
		Source: FilingSource(f.Account), ExternalID: nonEmpty(f.ExternalID), Channel: ChannelOpen311, Kind: orElse(f.Kind, Help),
		Subject: f.Service.Name, Text: f.Text, Latitude: f.Latitude, Longitude: f.Longitude, RegionID: regionID,
		Confidentiality: orElse(f.Confidentiality, "NAME_HIDDEN"),
	}
	details := ""
	if f.Address != "" {
		details += "Address: " + f.Address + "\n"
	}
	if f.MediaURL != "" {
		details += "Media: " + f.MediaURL + "\n"
	}
	if details != "" {
		o.Text += detailMark + details
	}
	return o
}
