package open311

import (
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"groundwork"
)

type filed struct {
	XMLName       xml.Name `xml:"request" json:"-"`
	ID            string   `xml:"service_request_id" json:"service_request_id"`
	Secret        text     `xml:"secret" json:"secret"` // ours: proves who asked
	ServiceNotice text     `xml:"service_notice" json:"service_notice"`
	AccountID     text     `xml:"account_id" json:"account_id"`
}

// fieldLimits are the longest values, in characters, of what a POST may hold; the description's is that of the specification.
var fieldLimits = map[string]int{
	"description": 4000, "address_string": 500, "address_id": 100, "media_url": 2000, "lat": 40, "long": 40, "service_code": 200,
	"jurisdiction_id": 200, "api_key": 200, "email": 320, "phone": 100, "device_id": 200, "account_id": 200, "first_name": 200, "last_name": 200,
	"external_id": 200,
}

// maxFields bounds the number of fields in a POST.
const maxFields = 60

func (a *api) file(r *http.Request, _ string) (any, error) {
	if err := readForm(r); err != nil {
		return nil, err
	}
	key := r.FormValue("api_key")
	if key == "" {
		return nil, groundwork.Errorf(groundwork.CodeForbidden, "api_key was not provided; ask the operator for one")
	}
	holder, err := a.Store.Authenticate(r.Context(), key, groundwork.ScopeOpen311)
	if err != nil {
		return nil, err
	}
	filing, err := a.filing(r)
	if err != nil {
		return nil, err
	}
	filing.Account = holder.Account
	by := groundwork.Actor{ID: groundwork.FilingSource(holder.Account), Role: groundwork.RoleIntake, Everywhere: true, Via: groundwork.ActorFrom(r.Context()).Via}
	if err := a.Meter.Admit(groundwork.WithActor(r.Context(), by), groundwork.Charge{Points: filePoints}); err != nil {
		return nil, err
	}
	done, _, err := a.Store.FileServiceRequest(r.Context(), by, filing)
	if err != nil {
		return nil, err
	}
	return listOf("service_requests", []filed{{
		ID: done.Ref, Secret: text(done.Secret), ServiceNotice: "Registered. Follow it by this number. · 已登记，可凭此编号查询。", AccountID: text(r.PostForm.Get("account_id")),
	}}), nil
}

func readForm(r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		return groundwork.Invalid("Content-Type", "Content-Type %.80q is not understood; send application/x-www-form-urlencoded; charset=utf-8", kind)
	}
	if err := r.ParseForm(); err != nil {
		if strings.Contains(err.Error(), "too large") {
			return err
		}
		return groundwork.Invalid("", "the body is no form: %v; encode it as application/x-www-form-urlencoded", err)
	}
	if len(r.PostForm) > maxFields {
		return groundwork.Invalid("", "the body has %d fields; send at most %d", len(r.PostForm), maxFields)
	}
	for field, given := range r.PostForm {
		if err := checkField(field, given); err != nil {
			return err
		}
	}
	return nil
}

func checkField(field string, given []string) error {
	limit, known := fieldLimits[field]
	if !known {
		limit = fieldLimits["description"]
	}
	switch {
	case len(given) > 1:
		return groundwork.Invalid(field, "%.40q is given %d times; give it once", field, len(given))
	case !utf8.ValidString(field+given[0]) || strings.ContainsRune(given[0], 0):
		return groundwork.Invalid(field, "%.40q holds bytes that are no UTF-8 text; encode the form as UTF-8", field)
	case utf8.RuneCountInString(given[0]) > limit:
		return groundwork.Invalid(field, "%.40q has more than %d characters; shorten it", field, limit)
	}
	return nil
}

func (a *api) filing(r *http.Request) (f groundwork.Filing, err error) {
	jurisdiction, err := a.jurisdiction(r)
	if err != nil {
		return f, err
	}
	s, err := a.service(r, r.PostForm.Get("service_code"))
	if err != nil {
		return f, err
	}
	field := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	f = groundwork.Filing{
		Service: *s, RegionCode: jurisdiction, Text: field("description"), Address: oneLine(field("address_string")), MediaURL: field("media_url"),
		ExternalID: field("external_id"), ReporterKey: reporterKey(field),
		Contact: &groundwork.Contact{Name: strings.TrimSpace(field("first_name") + " " + field("last_name")), Phone: field("phone"), Email: field("email")},
	}
	if err := readAttributes(r.PostForm, &f); err != nil {
		return f, err
	}
	if f.Latitude, f.Longitude, err = coordinates(field("lat"), field("long")); err != nil {
		return f, err
	}
	if f.Latitude == nil && f.Address == "" {
		return f, groundwork.Invalid("lat", "a location was not provided; give lat and long, or address_string")
	}
	if f.MediaURL != "" {
		if u, err := url.Parse(f.MediaURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return f, groundwork.Invalid("media_url", "media_url is no web address; give one that begins with https://")
		}
	}
	return f, nil
}

// oneLine keeps an address from passing for something else in the text that it is kept in.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// reporterKey is what the application knows the citizen by. It goes to the vault alone.
func reporterKey(field func(string) string) string {
	for _, name := range []string{"account_id", "email", "phone", "device_id"} {
		if value := field(name); value != "" {
			return name + ":" + value
		}
	}
	return ""
}

func readAttributes(form url.Values, f *groundwork.Filing) error {
	targets := map[string]func(string){
		attributeKind:            func(v string) { f.Kind = groundwork.OpinionKind(v) },
		attributeConfidentiality: func(v string) { f.Confidentiality = v },
		attributeRegion:          func(v string) { f.RegionCode = v },
		attributeExternalID:      func(v string) { f.ExternalID = v },
	}
	for name, given := range form {
		code, isAttribute := strings.CutPrefix(name, "attribute[")
		if !isAttribute {
			continue
		}
		code, _, _ = strings.Cut(code, "]")
		at := slices.IndexFunc(attributes, func(known attribute) bool { return known.Code == code })
		if at < 0 {
			return groundwork.Invalid(name, "attribute %.40q is not one of this service; its definition lists them", code)
		}
		value := strings.TrimSpace(given[0])
		if value == "" {
			continue // "the response should be the same whether a parameter is passed and is empty or is not passed"
		}
		if !attributes[at].takes(value) {
			return groundwork.Invalid(name, "attribute %s: %.40q is not one of its values; the service's definition lists them", code, value)
		}
		targets[code](value)
	}
	return nil
}

func coordinates(lat, long string) (*float64, *float64, error) {
	if lat == "" && long == "" {
		return nil, nil, nil
	}
	y, errLat := strconv.ParseFloat(lat, 64)
	x, errLong := strconv.ParseFloat(long, 64)
	switch {
	case errLat != nil || !(y >= -90 && y <= 90):
		return nil, nil, groundwork.Invalid("lat", "lat %.40q: give degrees from -90 to 90 (WGS 84), together with long", lat)
	case errLong != nil || !(x >= -180 && x <= 180):
		return nil, nil, groundwork.Invalid("long", "long %.40q: give degrees from -180 to 180 (WGS 84), together with lat", long)
	case x == 0 && y == 0:
		return nil, nil, groundwork.Invalid("lat", "lat and long are both 0, which applications send for a missing place; leave them out and give address_string")
	}
	return &y, &x, nil
}
