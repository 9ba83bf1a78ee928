// Package open311 serves the Open311 GeoReport v2 API, as XML and JSON, so that existing applications can file requests and follow
// them. Services are categories, service requests are issues, and a POST files an opinion and registers an issue on it.
//
// What the public may know of an issue is decided below it (groundwork.ServiceStore): nothing confidential, words only where they
// are PUBLIC, places displaced, times to the day. docs/open311.md describes the API and where it goes beyond the specification.
package open311
