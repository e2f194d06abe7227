// What tsyringe, behind @peculiar/x509, wants to find at import: the metadata of decorators. The classes used there take nothing by injection, so that
// nothing is ever stored. Imported before @peculiar/x509 by operator/authority.ts and by tests that make certificates.

Object.assign(Reflect, {
  getMetadata: () => undefined,
  getOwnMetadata: () => undefined,
  defineMetadata: () => undefined,
});
