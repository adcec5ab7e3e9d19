/* SPDX-License-Identifier: Apache-2.0 */
/* base/reader.h: network order, and an error that sticks. */

#include <criterion/criterion.h>

#include "base/reader.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

Test(reader, numbers_in_network_order)
{
	struct reader r;

	reader_init(&r, bytes, sizeof(bytes));
	cr_expect_eq(reader_u8(&r), 0x01);
	cr_expect_eq(reader_u16(&r), 0x0203);
	cr_expect_eq(reader_u24(&r), 0x040506);
	cr_expect_eq(reader_u32(&r), 0x0708090a);
	cr_expect_eq(reader_left(&r), 2);
	cr_expect_not(reader_is_bad(&r));
}

Test(reader, high_bits_are_not_signs)
{
	static const uint8_t high[] = { 0xff, 0xfe, 0xfd, 0xfc };
	struct reader r;

	reader_init(&r, high, sizeof(high));
	cr_expect_eq(reader_u32(&r), 0xfffefdfcu);
}

Test(reader, the_last_byte_is_no_error_but_the_next_is)
{
	struct reader r;

	reader_init(&r, bytes, 2);
	cr_expect_eq(reader_u16(&r), 0x0102);
	cr_expect_not(reader_is_bad(&r));
	cr_expect_eq(reader_u8(&r), 0);
	cr_expect(reader_is_bad(&r));
}

Test(reader, after_an_error_nothing_can_be_read)
{
	struct reader r;

	reader_init(&r, bytes, 3);
	cr_expect_eq(reader_u32(&r), 0);
	cr_expect(reader_is_bad(&r));
	cr_expect_eq(reader_left(&r), 0);
	cr_expect_eq(reader_u8(&r), 0, "the three bytes left are gone");
	cr_expect_null(reader_bytes(&r, 1).p);
	cr_expect_eq(reader_bytes(&r, 0).len, 0);
	cr_expect(reader_is_bad(&r));
}

Test(reader, bytes_and_skip)
{
	struct reader r;
	struct str s;

	reader_init(&r, bytes, sizeof(bytes));
	reader_skip(&r, 2);
	s = reader_bytes(&r, 3);
	cr_expect_eq(s.len, 3);
	cr_expect_eq(s.p, (const char *)bytes + 2);
	s = reader_bytes(&r, SIZE_MAX);
	cr_expect_null(s.p);
	cr_expect_eq(s.len, 0);
	cr_expect(reader_is_bad(&r));
}

Test(reader, a_sub_cursor_ends_where_it_was_told)
{
	struct reader r, sub;

	reader_init(&r, bytes, sizeof(bytes));
	sub = reader_sub(&r, 3);
	cr_expect_eq(reader_u8(&r), 4, "the outer one is past it");
	cr_expect_eq(reader_u24(&sub), 0x010203);
	cr_expect_eq(reader_u8(&sub), 0);
	cr_expect(reader_is_bad(&sub));
	cr_expect_not(reader_is_bad(&r));
}

Test(reader, a_sub_cursor_that_does_not_fit_is_bad)
{
	struct reader r, sub;

	reader_init(&r, bytes, 2);
	sub = reader_sub(&r, 3);
	cr_expect(reader_is_bad(&r));
	cr_expect(reader_is_bad(&sub));
	cr_expect_eq(reader_left(&sub), 0);
	cr_expect_eq(reader_u8(&sub), 0);
}

Test(reader, of_nothing)
{
	struct reader r;

	reader_init(&r, NULL, 0);
	cr_expect_eq(reader_bytes(&r, 0).len, 0);
	cr_expect_not(reader_is_bad(&r));
	reader_fail(&r);
	cr_expect(reader_is_bad(&r));
}
