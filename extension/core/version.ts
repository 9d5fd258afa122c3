import { version } from '../../package.json';

/** Version of the product, as in package.json. */
export const VERSION: string = version;
/** How exports and reports name the tool that made them. */
export const TOOL = `longconv-surgeon ${VERSION}`;
