// What tsyringe, behind @peculiar/x509, wants to find at import: the metadata of decorators. The classes used there take nothing by injection, so that
// nothing is ever stored. Imported before @peculiar/x509 by test/support/certificates.ts.

Object.assign(Reflect, {
  getMetadata: () => undefined,
  getOwnMetadata: () => undefined,
  defineMetadata: () => undefined,
});
