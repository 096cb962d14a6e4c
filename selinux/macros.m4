dnl The macros of the reference policy that cws.te and cws.fc use, as far as they use them.
define(`gen_bool', `bool $1 $2;')dnl
define(`gen_context', `$1:$2')dnl
define(`gen_require', `require { $1 }')dnl
define(`optional_policy', `optional { $1 }')dnl
