/* SPDX-License-Identifier: MIT */
#include "kernel-helpers/netlink_error.h"
#include "tests/unit/kernel-helpers/cmocka_all.h"

#include <netlink/errno.h>

static void codes_mean_something(void **state)
{
	static const struct {
		int code;
		hiphop_error error;
	} cases[] = {
		{0, HIPHOP_OK},
		{NLE_EXIST, HIPHOP_EXISTS},
		{NLE_PERM, HIPHOP_REFUSED},
		{NLE_NOACCESS, HIPHOP_REFUSED},
		{NLE_NODEV, HIPHOP_NOT_FOUND},
		{NLE_OBJ_NOTFOUND, HIPHOP_NOT_FOUND},
		{NLE_OPNOTSUPP, HIPHOP_UNSUPPORTED},
		{NLE_AF_NOSUPPORT, HIPHOP_UNSUPPORTED},
		{NLE_NOMEM, HIPHOP_NO_MEMORY},
		{NLE_INVAL, HIPHOP_SYSTEM},
		{NLE_FAILURE, HIPHOP_SYSTEM},
		{12345, HIPHOP_SYSTEM},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		/* libnl hands them out with either sign. */
		assert_int_equal(netlink_error(cases[i].code), cases[i].error);
		assert_int_equal(netlink_error(-cases[i].code), cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_mean_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
