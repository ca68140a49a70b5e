/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "machine/internal.h"
#include "machine/keys.h"

static int take_all(const struct machine_reader *r, struct hypervisor *hv)
{
	int err = machine_take_text(r, "hypervisor", "name", hv->name,
				    sizeof(hv->name));

	if (!err)
		err = machine_take_text(r, "hypervisor", "what", hv->what,
					sizeof(hv->what));
	if (!err)
		err = machine_take_text(r, "hypervisor", "mmus", hv->mmus,
					sizeof(hv->mmus));
	return err ? err : machine_take_costs(r, OWNER_SOFTWARE, hv->cost);
}

int hypervisor_from_ini(const struct ini *ini, struct hypervisor *ret,
			struct diag *diag)
{
	struct hypervisor hv = {.name = ""};
	struct machine_reader r = {.ini = ini, .diag = diag};
	int err = machine_check_keys(KIND_HYPERVISOR, ini, diag);

	if (!err)
		err = take_all(&r, &hv);
	if (!err)
		*ret = hv;
	return err;
}

bool hypervisor_is_for(const struct hypervisor *hv, const char *mmu)
{
	const char *at = hv->mmus;
	size_t len;

	for (; *at; at += len) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (strlen(mmu) == len && !strncmp(at, mmu, len))
			return true;
	}
	return false;
}
