# hiphop. `make help` says what there is.
#
# Every folder of the house is one static archive; a new .c file is found by itself. Unit tests are
# tests/unit/LAYER/test_X.c, simulations tests/sim/test_X.c, fuzz targets tests/fuzz/fuzz_X.c.

VARIANT ?= release
O       := build/$(VARIANT)
CC      := gcc
comma   := ,
SHELL   := /bin/bash

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
HARDEN_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fstack-clash-protection -fcf-protection
LINK_release   := -pie -Wl,-z,relro,-z,now,-z,noexecstack
HARDEN_asan    := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LINK_asan      := -fsanitize=address,undefined -fuse-ld=gold
HARDEN := $(HARDEN_$(VARIANT))
LINK   := $(LINK_$(VARIANT))

CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS   += -std=gnu17 -g $(WARNINGS) $(HARDEN) -MMD -MP
LDFLAGS  += $(LINK)

pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
CPPFLAGS += $(call pkg,--cflags,libnl-3.0)

# The house, lowest layer first. An archive may only use those before it.
LAYERS  := hip/base hip/wire hip/crypto hip/core hip/esp overlay sipglue kernel-helpers daemon
archive  = $(O)/lib$(subst /,-,$(1)).a
MAINS   := daemon/hiphopd.c daemon/hiphop.c
sources  = $(filter-out $(MAINS),$(wildcard $(1)/*.c))
objects  = $(patsubst %.c,$(O)/%.o,$(1))
ARCHIVES := $(foreach l,$(LAYERS),$(call archive,$(l)))

LIBS_crypto  := -lcrypto
LIBS_sip     := -losipparser2
LIBS_kernel  := -lnl-route-3 -lnl-3 -lseccomp
LIBS_daemon  := -lconfig -luv -lsqlite3 -ljansson -lpthread
LIBS := $(LIBS_sip) $(LIBS_kernel) $(LIBS_daemon) $(LIBS_crypto)

# Link order: highest layer first.
link_archives = $(call archive,daemon) $(call archive,kernel-helpers) $(call archive,sipglue) $(call archive,overlay) \
	$(call archive,hip/esp) $(call archive,hip/core) $(call archive,hip/crypto) $(call archive,hip/wire) $(call archive,hip/base)

.PHONY: all
all: build/hiphopd build/hiphop

.SECONDARY:

build/hiphopd build/hiphop: build/%: $(O)/daemon/%
	@cp -f $< $@.new && mv -f $@.new $@

$(O)/daemon/hiphopd $(O)/daemon/hiphop: %: %.o $(ARCHIVES)
	@echo "LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $< $(link_archives) $(LIBS)

define archive_rule
$(call archive,$(1)): $(call objects,$(call sources,$(1)))
	@echo "AR  $$@"
	@rm -f $$@; ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

$(O)/%.o: %.c
	@mkdir -p $(@D)
	@echo "CC  $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# Unit tests and simulations. A unit test links only the layers below and its own, so that an upward call fails here.
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c) $(wildcard tests/unit/*/*/test_*.c)
UNIT_TESTS   := $(patsubst %.c,$(O)/%,$(UNIT_SOURCES))
SIM_SOURCES  := $(wildcard tests/sim/test_*.c)
SIM_TESTS    := $(patsubst %.c,$(O)/%,$(SIM_SOURCES))
SIM_OBJECTS  := $(call objects,$(filter-out $(SIM_SOURCES),$(wildcard tests/sim/*.c)))

test_layers_hip/base       := hip/base
test_layers_hip/wire       := hip/wire hip/base
test_layers_hip/crypto     := hip/crypto hip/wire hip/base
test_layers_hip/core       := hip/core hip/crypto hip/wire hip/base
test_layers_hip/esp        := hip/esp hip/crypto hip/base
test_layers_overlay        := overlay hip/base
test_layers_sipglue        := sipglue hip/base
test_layers_kernel-helpers := kernel-helpers hip/base
test_layers_daemon         := daemon kernel-helpers sipglue overlay hip/esp hip/core hip/crypto hip/wire hip/base

define unit_rule
$$(patsubst %.c,$$(O)/%,$$(wildcard tests/unit/$(1)/test_*.c)): %: %.o $$(foreach l,$$(test_layers_$(1)),$$(call archive,$$(l)))
	@echo "LD  $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $$(foreach l,$$(test_layers_$(1)),$$(call archive,$$(l))) -Wl,--end-group -lcmocka $$(LIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call unit_rule,$(l))))

$(SIM_TESTS): %: %.o $(SIM_OBJECTS) $(ARCHIVES)
	@echo "LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $< $(SIM_OBJECTS) $(link_archives) -lcmocka $(LIBS)

.PHONY: unit sim
unit: $(UNIT_TESTS)
sim: $(SIM_TESTS)

# `make run T=NAME` builds and runs one unit test or simulation, for the work on it.
.PHONY: run
run: $(filter %/test_$(T),$(UNIT_TESTS) $(SIM_TESTS))
	@for t in $^; do $$t || exit 1; done

# Fuzz targets: libFuzzer with ASan and UBSan. A target takes out of the archive what it needs, so that only that is measured.
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(FUZZ_SOURCES))
FUZZ_OBJECTS := $(patsubst %.c,build/fuzz/%.o,$(foreach l,$(LAYERS),$(call sources,$(l))))
FUZZ_FLAGS   := -std=gnu17 -g1 -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Werror=implicit-function-declaration -Werror=incompatible-function-pointer-types $(FUZZ_MORE_FLAGS)

# What would change the kernel is replaced in this target.
FUZZ_LINK_helper := $(addprefix -Wl$(comma)--wrap=,network_setup network_setup_undo underlay_open_udp underlay_open_raw \
	tunnel_queue_attach prefix_route_add prefix_route_remove prefix_address_add)

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	@echo "FUZZ-CC $<"
	@clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

build/fuzz/libhiphop.a: $(FUZZ_OBJECTS)
	@echo "FUZZ-AR $@"
	@rm -f $@; ar rcs $@ $^

build/fuzz/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/libhiphop.a
	@echo "FUZZ-LD $@"
	@clang $(FUZZ_FLAGS) -fsanitize=fuzzer $(FUZZ_LINK_$*) -o $@ $< build/fuzz/libhiphop.a $(LIBS)

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS)

# ---- what people type ----

.PHONY: help
help:
	@echo 'make            build build/hiphopd and build/hiphop'
	@echo 'make demo       40 hosts in namespaces, phones call by name, and links change (KEEP=1 leaves it running)'
	@echo 'make check      all tests; make check T=NAME those whose name has NAME (FUZZ_SECONDS=4, SIM_SEED=1)'
	@echo 'make conformance  the requirements of the RFCs, the tests that show them, and what came out'
	@echo 'make bench      throughput, latency and set-up times, handovers, as ratios to other programs; floods'
	@echo 'make lint       cppcheck; make format: clang-format; make compile_commands.json: for editors'
	@echo 'make install    to PREFIX (/usr/local), with a systemd unit; DESTDIR is obeyed'
	@echo 'make run T=X    build and run one unit test or simulation (VARIANT=asan for sanitizers)'
	@echo 'make packages   install the Debian packages that building and testing need'
	@echo 'make clean      remove build/'

.PHONY: packages
packages:
	@scripts/install-packages test

# The packages come first, in a make of their own, since this one has already looked for the libraries.
.PHONY: demo
demo:
	@scripts/install-packages demo
	@$(MAKE) --no-print-directory -s -j2 all lab-tools
	@scripts/demo

.PHONY: check check-build
check:
	@scripts/install-packages test
	@scripts/install-packages vm || echo 'Without these the tests in a virtual machine are skipped.'
	@$(MAKE) --no-print-directory -s -j2 check-build
	@tests/run "$(T)"

# The tests that show requirements of the RFCs, and the table of what they show.
.PHONY: conformance
conformance:
	@scripts/install-packages test
	@$(MAKE) --no-print-directory -s -j2 all unit sim flooders lab-tools
	@rm -rf build/conformance
	@KEEP=build/conformance tests/run $$(tests/conformance/report tests) || true
	@echo
	@tests/conformance/report print build/conformance

# docs/conformance.md from the last `make conformance`.
.PHONY: conformance-table
conformance-table:
	@tests/conformance/report write build/conformance >docs/conformance.md

check-build:
	@$(MAKE) --no-print-directory all unit sim flooders lab-tools
	@$(MAKE) --no-print-directory VARIANT=asan unit sim all-asan
	@$(MAKE) --no-print-directory fuzz

# The daemon itself with sanitizers, for the tests in namespaces that ask for it.
.PHONY: all-asan
all-asan: $(O)/daemon/hiphopd $(O)/daemon/hiphop

# Benchmarks in memory, for tests/bench/run.
BENCHES := $(patsubst %.c,$(O)/%,$(wildcard tests/bench/bench_*.c))
$(BENCHES): %: %.o $(ARCHIVES)
	@echo "LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $< $(link_archives) $(LIBS)

# What floods, and what must not suffer: for tests/bench/flood and tests/net/test_flood.sh. They know nothing of the house.
FLOODERS := $(O)/tests/bench/flood_generator $(O)/tests/bench/flood_call
$(FLOODERS): %: %.o
	@echo "LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $<

.PHONY: flooders
flooders: $(FLOODERS)

# What the laboratory of the tests in namespaces is made of, and what measures handovers there.
LAB_TOOLS := $(O)/tests/net/delayed_link $(O)/tests/net/numbered_stream
$(LAB_TOOLS): %: %.o
	@echo "LD  $@"
	@$(CC) $(LDFLAGS) -o $@ $<

.PHONY: lab-tools
lab-tools: $(LAB_TOOLS)

.PHONY: bench bench-build
bench:
	@scripts/install-packages bench
	@$(MAKE) --no-print-directory -s -j2 all bench-build
	@tests/bench/run
	@tests/bench/fetch_charon
	@tests/bench/handover
	@tests/bench/flood

bench-build: $(BENCHES) $(FLOODERS) $(LAB_TOOLS)

OWN_SOURCES := $(wildcard $(addsuffix /*.c,$(LAYERS))) $(UNIT_SOURCES) $(wildcard tests/sim/*.c) $(FUZZ_SOURCES)
OWN_HEADERS := $(wildcard $(addsuffix /*.h,$(LAYERS))) $(wildcard tests/unit/*.h tests/unit/*/*.h tests/unit/*/*/*.h tests/sim/*.h tests/fuzz/*.h)

.PHONY: format lint
format:
	@clang-format -i $(OWN_SOURCES) $(OWN_HEADERS)

lint:
	@scripts/install-packages test
	@tests/lint/cppcheck

compile_commands.json: Makefile
	@scripts/compile-commands '$(CC) $(CPPFLAGS) $(CFLAGS)' $(OWN_SOURCES) >$@

PREFIX ?= /usr/local
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)/etc/hiphop
	install -m 755 build/hiphopd $(DESTDIR)$(PREFIX)/sbin/hiphopd
	install -m 755 build/hiphop $(DESTDIR)$(PREFIX)/bin/hiphop
	sed 's|@PREFIX@|$(PREFIX)|g' scripts/hiphopd.service >$(DESTDIR)$(PREFIX)/lib/systemd/system/hiphopd.service

.PHONY: clean
clean:
	rm -rf build compile_commands.json

-include $(shell find build -name '*.d' 2>/dev/null)
