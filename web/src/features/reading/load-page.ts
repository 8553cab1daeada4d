/** The reading page, loaded when it is likely to be opened next. */
export const loadPage = () => import('./page');
