/* SPDX-License-Identifier: MIT */
#include "sipglue/route.h"

#include "sipglue/place.h"

#include <stdio.h>

osip_uri_t *route_top(const struct message *request)
{
	const osip_route_t *route = osip_list_get(&request->osip->routes, 0);
	return route ? route->url : NULL;
}

static void drop_route(struct message *request, int index)
{
	osip_route_t *route = osip_list_get(&request->osip->routes, index);
	osip_list_remove(&request->osip->routes, index);
	osip_route_free(route);
}

static bool is_loose(osip_uri_t *uri)
{
	return parameter_value(&uri->url_params, "lr") != NULL;
}

/** Our own Record-Route value: no user, our address, lr. */
static bool is_our_record(const struct sip *sip, osip_uri_t *uri)
{
	return !uri->username && is_loose(uri) && place_uri_is_proxy(sip, uri);
}

static bool names_us(const struct sip *sip, const osip_uri_t *uri)
{
	return place_uri_is_sip(uri) &&
	       (place_uri_is_proxy(sip, uri) || (!uri->username && place_uri_in_domain(sip, uri)));
}

hiphop_error route_preprocess(const struct sip *sip, struct message *request)
{
	osip_list_t *routes = &request->osip->routes;
	if (osip_list_size(routes) > 0 && is_our_record(sip, request->osip->req_uri)) {
		int last = osip_list_size(routes) - 1;
		osip_uri_t *uri = NULL;
		const osip_route_t *route = osip_list_get(routes, last);
		if (!route->url || uri_copy(route->url, &uri) != HIPHOP_OK)
			return HIPHOP_NO_MEMORY;
		osip_uri_free(request->osip->req_uri);
		request->osip->req_uri = uri;
		drop_route(request, last);
	}
	while (route_top(request) && names_us(sip, route_top(request)))
		drop_route(request, 0);
	return HIPHOP_OK;
}

hiphop_error route_postprocess(struct message *request)
{
	osip_uri_t *top = route_top(request);
	if (!top || is_loose(top))
		return HIPHOP_OK;
	osip_route_t *last = NULL;
	osip_uri_t *uri = NULL;
	if (uri_copy(top, &uri) != HIPHOP_OK || osip_route_init(&last) != OSIP_SUCCESS ||
		osip_list_add(&request->osip->routes, last, -1) < 0) {
		osip_uri_free(uri);
		osip_route_free(last);
		return HIPHOP_NO_MEMORY;
	}
	last->url = request->osip->req_uri;
	request->osip->req_uri = uri;
	drop_route(request, 0);
	return HIPHOP_OK;
}

static hiphop_error push_record(const struct sip *sip, struct message *request, const struct path *path)
{
	char address[ENDPOINT_TEXT_SIZE], text[ENDPOINT_TEXT_SIZE + 64];
	osip_record_route_t *record = NULL;
	bool ipv4 = address_is_ipv4(&path->local.address);
	snprintf(text, sizeof text, "<sip:%s%s%s:%u%s;lr>", ipv4 ? "" : "[",
		address_format(&path->local.address, address), ipv4 ? "" : "]", sip->port,
		path->stream ? ";transport=tcp" : "");
	if (osip_record_route_init(&record) == OSIP_SUCCESS && osip_record_route_parse(record, text) == OSIP_SUCCESS &&
		osip_list_add(&request->osip->record_routes, record, 0) >= 0)
		return HIPHOP_OK;
	osip_record_route_free(record);
	return HIPHOP_NO_MEMORY;
}

hiphop_error route_record(const struct sip *sip, struct message *request, const struct path *in, const struct path *out)
{
	hiphop_error error = push_record(sip, request, in);
	bool same = in->stream == out->stream && address_equal(&in->local.address, &out->local.address);
	return error || same ? error : push_record(sip, request, out);
}
