/* SPDX-License-Identifier: Apache-2.0
 * Sign standard input with the RSA key of a smart card, through any PKCS #11 module.
 *
 *     sign MODULE ID < message > signature          the PIN is in $CARD_PIN
 *
 * This is the program that is tested; it knows no vreader. */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>

static CK_FUNCTION_LIST_PTR module;

static const char *meaning(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT: return "the PIN is wrong";
	case CKR_PIN_LOCKED: return "the PIN is blocked";
	case CKR_DEVICE_REMOVED: return "the card was taken out";
	case CKR_TOKEN_NOT_PRESENT: return "there is no card";
	default: return "failed";
	}
}

static void need(CK_RV rv, const char *what)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "sign: %s: %s (0x%lX)\n", what, meaning(rv), rv);
	if (module)
		module->C_Finalize(NULL);
	exit(1);
}

static void load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	CK_C_GetFunctionList get = NULL;

	if (library)
		*(void **)&get = dlsym(library, "C_GetFunctionList");
	if (!get) {
		fprintf(stderr, "sign: %s\n", dlerror());
		exit(2);
	}
	need(get(&module), "C_GetFunctionList");
}

static CK_SESSION_HANDLE login(char *pin)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = sizeof slots / sizeof *slots, length = 0;
	CK_SESSION_HANDLE session;

	need(module->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
	if (!count)
		need(CKR_TOKEN_NOT_PRESENT, "C_GetSlotList");
	while (pin[length])
		length++;
	need(module->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session),
	     "C_OpenSession");
	need(module->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)pin, length), "C_Login");
	return session;
}

static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session, CK_BYTE id)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &class, sizeof class },
		{ CKA_ID, &id, sizeof id },
	};
	CK_OBJECT_HANDLE key;
	CK_ULONG found = 0;

	need(module->C_FindObjectsInit(session, wanted, 2), "C_FindObjectsInit");
	need(module->C_FindObjects(session, &key, 1, &found), "C_FindObjects");
	need(module->C_FindObjectsFinal(session), "C_FindObjectsFinal");
	if (!found) {
		fprintf(stderr, "sign: no private key %02X on this card\n", id);
		module->C_Finalize(NULL);
		exit(1);
	}
	return key;
}

int main(int argc, char **argv)
{
	static CK_BYTE data[65536], signature[512];
	CK_MECHANISM mechanism = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_ULONG size = sizeof signature;
	CK_SESSION_HANDLE session;
	char *pin = getenv("CARD_PIN");
	size_t length;

	if (argc != 3 || !pin) {
		fprintf(stderr, "usage: CARD_PIN=... sign MODULE ID < message > signature\n");
		return 2;
	}
	length = fread(data, 1, sizeof data, stdin);
	load(argv[1]);
	need(module->C_Initialize(NULL), "C_Initialize");
	session = login(pin);
	need(module->C_SignInit(session, &mechanism,
				find_key(session, (CK_BYTE)strtoul(argv[2], NULL, 16))),
	     "C_SignInit");
	need(module->C_Sign(session, data, length, signature, &size), "C_Sign");
	need(module->C_Finalize(NULL), "C_Finalize");
	return fwrite(signature, 1, size, stdout) == size ? 0 : 1;
}
