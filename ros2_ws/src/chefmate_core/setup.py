from setuptools import find_packages, setup

PACKAGE = 'chefmate_core'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    extras_require={'test': ['pytest']},  # tells colcon to run pytest
    package_data={PACKAGE: ['safety/*.yaml']},
    zip_safe=False,
    maintainer='ChefMate maintainers',
    maintainer_email='maintainers@chefmate.dev',
    description='The ROS-free heart of ChefMate.',
    license='MIT',
    entry_points={
        'chefmate.policies': ['remote = chefmate_core.policy.remote_policy:make_policy']
    },
)
