/* SPDX-License-Identifier: MIT */
/** The options that are preference lists of algorithms. */
#include "daemon/configuration_options.h"

#include "hip/crypto/esp_suite.h"

#include <string.h>

/** Which option is which list. */
static const struct {
	const char *key;
	algorithm_kind kind;
	size_t offset;
} lists[] = {
	{"hip.hit_suites", ALGORITHM_HIT_SUITE, offsetof(struct configuration, hit_suites)},
	{"hip.dh_groups", ALGORITHM_DH_GROUP, offsetof(struct configuration, dh_groups)},
	{"hip.ciphers", ALGORITHM_HIP_CIPHER, offsetof(struct configuration, hip_ciphers)},
	{"esp.suites", ALGORITHM_ESP_SUITE, offsetof(struct configuration, esp_suites)},
};
#define LIST_COUNT (sizeof lists / sizeof *lists)

static struct algorithm_list *list_of(struct configuration_reading *reading, size_t which)
{
	return (struct algorithm_list *)((char *)reading->configuration + lists[which].offset);
}

static size_t which_list(const char *key)
{
	size_t which = 0;
	while (which + 1 < LIST_COUNT && strcmp(lists[which].key, key) != 0)
		which++;
	return which;
}

static bool read_algorithm(
	struct configuration_reading *reading, const config_setting_t *entry, size_t which, struct algorithm_list *list)
{
	const char *text = config_setting_get_string(entry);
	struct algorithm algorithm;
	char names[256];
	if (!text || !algorithm_by_name(lists[which].kind, text, &algorithm)) {
		algorithm_names(lists[which].kind, names, sizeof names);
		return configuration_complain(reading, entry, "%s%.40s%s is no %s; there are %s, in double quotes",
			text ? "\"" : "an entry of ", text ? text : lists[which].key, text ? "\"" : "",
			algorithm_kind_name(lists[which].kind), names);
	}
	if (memchr(list->ids, algorithm.id, list->count))
		return configuration_complain(
			reading, entry, "\"%s\" stands twice in %s", algorithm.name, lists[which].key);
	list->ids[list->count++] = algorithm.id;
	return true;
}

bool configuration_read_algorithms(struct configuration_reading *reading, const config_setting_t *setting,
	const struct configuration_option *option)
{
	size_t which = which_list(option->key), count;
	struct algorithm_list *list = list_of(reading, which);
	if (!configuration_open_list(reading, setting, option, &count))
		return false;
	list->count = 0;
	for (size_t i = 0; i < count; i++)
		if (!read_algorithm(reading, config_setting_get_elem(setting, (unsigned)i), which, list))
			return false;
	return true;
}

static bool check_strength(struct configuration_reading *reading, const config_setting_t *entry, algorithm_kind kind,
	const struct algorithm *algorithm)
{
	const struct configuration *configuration = reading->configuration;
	if (algorithm->weakness && !configuration->weak)
		return configuration_complain(reading, entry, "\"%s\" is weak: %s; hip.weak = true would allow it",
			algorithm->name, algorithm->weakness);
	/* RFC 6261 section 4 */
	if (kind == ALGORITHM_ESP_SUITE && !configuration->outside_overlay &&
		!esp_suite_encrypts(esp_suite_by_id(algorithm->id)))
		return configuration_complain(reading, entry,
			"\"%s\" encrypts nothing, which is not for a host of an overlay; overlay.role = \"none\" "
			"leaves it",
			algorithm->name);
	return true;
}

bool configuration_check_algorithms(struct configuration_reading *reading, const config_t *parser)
{
	for (size_t which = 0; which < LIST_COUNT; which++) {
		const config_setting_t *setting = parser ? config_lookup(parser, lists[which].key) : NULL;
		const struct algorithm_list *list = list_of(reading, which);
		for (size_t i = 0; i < list->count; i++) {
			const config_setting_t *entry = setting ? config_setting_get_elem(setting, (unsigned)i) : NULL;
			struct algorithm algorithm;
			if (!algorithm_by_id(lists[which].kind, list->ids[i], &algorithm) ||
				!check_strength(reading, entry, lists[which].kind, &algorithm))
				return false;
		}
	}
	return true;
}
