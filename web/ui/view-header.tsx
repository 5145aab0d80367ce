import { type ComponentChildren } from 'preact';

interface ViewHeaderProps {
  readonly title: string;
  /** A sentence or two about what there is to see. */
  readonly children: ComponentChildren;
}

/** The heading of a view, which takes the focus when its tab is chosen. */
export function ViewHeader({ title, children }: ViewHeaderProps) {
  return (
    <header class="view__header">
      <h1 tabIndex={-1}>{title}</h1>
      <p class="lead">{children}</p>
    </header>
  );
}
