package open311

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"groundwork"
)

type service struct {
	XMLName     xml.Name `xml:"service" json:"-"`
	Code        string   `xml:"service_code" json:"service_code"`
	Name        string   `xml:"service_name" json:"service_name"`
	Description text     `xml:"description" json:"description"`
	Metadata    bool     `xml:"metadata" json:"metadata"`
	Type        string   `xml:"type" json:"type"`
	Keywords    text     `xml:"keywords" json:"keywords"`
	Group       text     `xml:"group" json:"group"`
}

func (a *api) services(r *http.Request, _ string) (any, error) {
	if _, err := a.jurisdiction(r); err != nil {
		return nil, err
	}
	found, err := a.Store.Services(r.Context(), a.Now(), "")
	if err != nil {
		return nil, err
	}
	items := make([]service, len(found))
	for i, s := range found {
		items[i] = service{
			Code: s.Code, Name: s.Name, Description: text(strings.Join(s.Path, " / ")), Metadata: true, Type: "realtime",
			Keywords: text(strings.Join(s.Path, ",")), Group: text(strings.Join(s.Path[:len(s.Path)-1], " / ")),
		}
	}
	return listOf("services", items), nil
}

type definition struct {
	XMLName    xml.Name        `xml:"service_definition" json:"-"`
	Code       string          `xml:"service_code" json:"service_code"`
	Attributes list[attribute] `xml:"attributes" json:"attributes"`
}

type attribute struct {
	XMLName     xml.Name     `xml:"attribute" json:"-"`
	Variable    bool         `xml:"variable" json:"variable"`
	Code        string       `xml:"code" json:"code"`
	Datatype    string       `xml:"datatype" json:"datatype"`
	Required    bool         `xml:"required" json:"required"`
	Hint        text         `xml:"datatype_description" json:"datatype_description"`
	Order       int          `xml:"order" json:"order"`
	Description string       `xml:"description" json:"description"`
	Values      *list[value] `xml:"values" json:"values,omitempty"`
}

type value struct {
	XMLName xml.Name `xml:"value" json:"-"`
	Key     string   `xml:"key" json:"key"`
	Name    string   `xml:"name" json:"name"`
}

// The attributes of every service; all can be left out.
const (
	attributeKind            = "kind"
	attributeConfidentiality = "confidentiality"
	attributeRegion          = "region"
	attributeExternalID      = "external_id"
)

var attributes = []attribute{
	{Code: attributeKind, Datatype: "singlevaluelist", Description: "What do you want? · 诉求类型", Hint: "HELP if left out", Values: values(
		string(groundwork.Inquiry), "To know something · 咨询", string(groundwork.Help), "Something to be done · 求助",
		string(groundwork.Complaint), "To complain · 投诉", string(groundwork.Report), "To report wrongdoing · 举报",
		string(groundwork.Suggestion), "To propose something · 建议", string(groundwork.Thanks), "To thank · 感谢")},
	{Code: attributeConfidentiality, Datatype: "singlevaluelist", Description: "Who may read your words? · 公开范围", Hint: "NAME_HIDDEN if left out", Values: values(
		"PUBLIC", "Everybody · 公开", "NAME_HIDDEN", "Those who handle it; others see that there is a request · 不公开姓名和内容",
		groundwork.Confidential, "Only those who handle it; it is listed nowhere · 保密")},
	{Code: attributeRegion, Datatype: "string", Description: "Which region is it about? · 所属地区", Hint: "12-digit code of the region; jurisdiction_id if left out"},
	{Code: attributeExternalID, Datatype: "string", Description: "Your own number of this request · 来源编号", Hint: "Sent again with the same number, it is the same request"},
}

func values(keysAndNames ...string) *list[value] {
	var items []value
	for i := 0; i < len(keysAndNames); i += 2 {
		items = append(items, value{Key: keysAndNames[i], Name: keysAndNames[i+1]})
	}
	l := listOf("values", items)
	return &l
}

// takes reports whether the attribute may have the value.
func (at attribute) takes(given string) bool {
	return at.Values == nil || slices.ContainsFunc(at.Values.Items, func(v value) bool { return v.Key == given })
}

func (a *api) definition(r *http.Request, code string) (any, error) {
	if _, err := a.jurisdiction(r); err != nil {
		return nil, err
	}
	s, err := a.service(r, code)
	if err != nil {
		return nil, err
	}
	items := make([]attribute, len(attributes))
	for i, item := range attributes {
		item.Variable, item.Order = true, i+1
		items[i] = item
	}
	return definition{Code: s.Code, Attributes: listOf("attributes", items)}, nil
}

func (a *api) service(r *http.Request, code string) (*groundwork.Service, error) {
	if code == "" {
		return nil, groundwork.Invalid("service_code", "service_code was not provided; take one from services")
	}
	found, err := a.Store.Services(r.Context(), a.Now(), code)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, groundwork.Errorf(groundwork.CodeNotFound, "service_code %.40q was not found; take one from services", code)
	}
	return &found[0], nil
}

type discovery struct {
	XMLName    xml.Name       `xml:"discovery" json:"-"`
	Changeset  string         `xml:"changeset" json:"changeset"`
	Contact    string         `xml:"contact" json:"contact"`
	KeyService string         `xml:"key_service" json:"key_service"`
	Endpoints  list[endpoint] `xml:"endpoints" json:"endpoints"`
}

type endpoint struct {
	XMLName       xml.Name            `xml:"endpoint" json:"-"`
	Specification string              `xml:"specification" json:"specification"`
	URL           string              `xml:"url" json:"url"`
	Changeset     string              `xml:"changeset" json:"changeset"`
	Type          string              `xml:"type" json:"type"`
	Formats       list[formatOffered] `xml:"formats" json:"formats"`
}

type formatOffered struct {
	XMLName xml.Name `xml:"format" json:"-"`
	Type    string   `xml:",chardata"`
}

// MarshalJSON is the type alone.
func (f formatOffered) MarshalJSON() ([]byte, error) { return text(f.Type).MarshalJSON() }

// changed is when the resources of this API last changed their form.
const changed = "2026-11-24 00:00"

func (a *api) discovery(r *http.Request, _ string) (any, error) {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return discovery{
		Changeset: changed, Contact: "The operator of this Groundwork", KeyService: "The operator makes keys: groundwork apikey create",
		Endpoints: listOf("endpoints", []endpoint{{
			Specification: "http://wiki.open311.org/GeoReport_v2", URL: scheme + "://" + r.Host + "/open311/v2", Changeset: changed,
			Type: "production", Formats: listOf("formats", []formatOffered{{Type: "text/xml"}, {Type: "application/json"}}),
		}}),
	}, nil
}
